"""The table of promises: what follows from each that is broken, and from each that was not seen."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from connectors.memory.bucket import HONEST, MemoryBucket
from repatria.finding import Grade
from repatria.names import SiteName
from repatria.promises import READING, READING_BACK, WRITING, Promise, broken, candour_of
from repatria.stored import Candour, Honours

CANDID = Candour(ranges=True, fresh=True, pages=True, ends=True, versions=True)
DOCS = Path(__file__).parents[2] / "docs"
REFUSED = {"create_only", "replace_only", "listed", "pages", "ranges"}


def test_every_promise_that_can_be_seen_is_in_the_table() -> None:
    assert {promise.field for promise in WRITING} == {field.name for field in fields(Honours)}
    assert {promise.field for promise in READING} == {field.name for field in fields(Candour)}
    assert set(READING_BACK) < set(READING)


@pytest.mark.parametrize("promise", [*WRITING, *READING], ids=lambda it: it.name)
def test_a_broken_promise_is_refused_or_another_way_is_named(promise: Promise) -> None:
    lie = {promise.field: False}
    lying: Honours | Candour = (
        replace(HONEST, **lie) if promise in WRITING else replace(CANDID, **lie)
    )
    table = WRITING if promise in WRITING else READING
    assert broken(WRITING, HONEST) is broken(READING, CANDID) is None
    assert (broken(table, lying) is not None) == (promise.field in REFUSED)
    told = promise.finding("dublin-1", lying)
    assert (told.grade is Grade.ILL) == (promise.field in REFUSED)
    assert told.grade is not Grade.WELL
    assert promise.loss in told.means
    assert promise.instead in told.means


@pytest.mark.parametrize("promise", WRITING, ids=lambda it: it.name)
def test_a_promise_to_writers_that_was_not_tried_is_not_kept(promise: Promise) -> None:
    unseen = replace(HONEST, **{promise.field: None})
    assert promise.grade(unseen) is promise.grade(replace(HONEST, **{promise.field: False}))
    assert (broken(WRITING, unseen) is not None) == (promise.field in REFUSED)


def test_a_promise_to_readers_that_was_not_tried_is_never_well_and_refuses_nothing() -> None:
    assert {promise.grade(Candour()) for promise in READING} == {Grade.NOTE}
    assert broken(READING, Candour()) is None


def test_a_store_is_tried_where_it_shows_most() -> None:
    bucket = MemoryBucket(SiteName("us-east"))
    assert candour_of(bucket, ["a/", "b/"]) == Candour()
    bucket.plant("b/1", b"record")
    assert candour_of(bucket, ["a/", "b/"]) == bucket.candour
    bucket.candour = Candour(pages=True)
    assert candour_of(bucket, ["b/", "a/"]) == Candour(pages=True)
    assert candour_of(bucket, []) == Candour()


def test_the_table_of_the_decision_has_every_promise() -> None:
    table = (DOCS / "adr" / "0017-what-stores-promise.md").read_text("utf-8")
    for promise in (*WRITING, *READING):
        assert f"\n| {promise.name}" in table
