"""Manifests: built from receipts alone, replaced by compare-and-swap, left alone where equal."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.memory.bucket import MemoryBucket
from connectors.object_manifests import ObjectManifests
from repatria.errors import ForeignObject, ReadBackMismatch, StaleSlice, Transient
from repatria.layout import Layout
from repatria.manifest import Published, publish, told
from repatria.names import SliceId
from repatria.receipt import BatchName, Line, Receipt
from repatria.stored import ObjectVersion
from tests.people import DE, DUBLIN, HAMAR, IE, PROFILES, US

KEY = "profiles/region=IE/_repatria/manifest.parquet"


def line(number: int, rows: int = 3) -> Line:
    return Line(
        region=IE.name,
        site=DUBLIN.name,
        rows=rows,
        object=ObjectVersion(f"k{number}", 9, f"e{number}", f"v{number}"),
        sha256="0" * 64,
        digest=f"c0:{rows}:" + "0" * 31 + "1",
    )


def receipt(number: int, *lines: Line) -> Receipt:
    return Receipt(
        batch=BatchName(SliceId(f"{number:032x}"), 0, "v1"),
        dataset=PROFILES.name,
        site=US.name,
        last=True,
        read=sum(one.rows for one in lines),
        census={one.region: one.rows for one in lines},
        erased=0,
        superseded=0,
        waiting=(),
        lines=lines,
        decisions="a:b",
        bytes_read=1,
    )


class Told:
    """A ledger that tells these receipts."""

    def __init__(self, *receipts: Receipt) -> None:
        self.held = receipts

    def receipts(self, *_: object) -> Iterable[Receipt]:
        return iter(self.held)


def at(bucket: MemoryBucket, *receipts: Receipt) -> Published:
    ledger: Any = Told(*receipts)
    return publish(ledger, ObjectManifests(bucket, Layout(), "ledger-1"), PROFILES.name, IE.name)


def body_of(bucket: MemoryBucket) -> bytes:
    return bytes(bucket.read(bucket.head(KEY).object))


def test_it_lists_every_parcel_of_the_region_at_the_site() -> None:
    bucket = MemoryBucket(DUBLIN.name)
    elsewhere = replace(line(3), site=HAMAR.name)
    german = replace(line(4), region=DE.name)
    published = at(bucket, receipt(1, line(1)), receipt(2, line(2, rows=5), elsewhere, german))
    assert (published.parcels, published.rows, published.bytes) == (2, 8, 18)
    rows = pq.read_table(io.BytesIO(body_of(bucket))).to_pylist()
    assert [(row["key"], row["version"], row["rows"]) for row in rows] == [
        ("k1", "v1", 3),
        ("k2", "v2", 5),
    ]
    facts = told(body_of(bucket))
    assert (facts["parcels"], facts["rows"], facts["region"]) == (2, 8, "IE")
    assert facts["site"] == DUBLIN.name


def test_a_region_without_a_parcel_has_a_manifest_that_says_so() -> None:
    bucket = MemoryBucket(DUBLIN.name)
    assert at(bucket).parcels == 0
    assert told(body_of(bucket))["digest"] == ""


def test_the_generation_grows_when_the_content_changes_and_only_then() -> None:
    bucket = MemoryBucket(DUBLIN.name)
    generations = [
        at(bucket, *receipts).generation
        for receipts in (
            [receipt(1, line(1))],
            [receipt(1, line(1))],
            [receipt(1, line(1)), receipt(2, line(2))],
            [receipt(1, line(1)), receipt(2, line(2))],
            [receipt(1, line(1))],
        )
    ]
    assert generations == [1, 1, 2, 2, 3]
    assert bucket.count("put") == 3


class Meanwhile(MemoryBucket):
    """A store in which something happens between a look at an object and what follows."""

    def __init__(self, happens: list[Callable[[], object]]) -> None:
        super().__init__(DUBLIN.name)
        self.happens = happens

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> Any:
        body = super().read(found, start, stop)
        if self.happens:
            self.happens.pop(0)()
        return body


def test_a_swap_that_was_lost_is_tried_again_over_the_winner() -> None:
    happens: list[Callable[[], object]] = []
    bucket = Meanwhile(happens)
    at(bucket, receipt(1, line(1)))
    happens.append(lambda: at(bucket, receipt(1, line(1)), receipt(2, line(2))))
    published = at(bucket, receipt(1, line(1)), receipt(3, line(3)))
    assert published.generation == 3, "the other's was the second"
    assert told(body_of(bucket))["generation"] == 3


def test_who_never_wins_the_swap_gives_up() -> None:
    happens: list[Callable[[], object]] = []
    bucket = Meanwhile(happens)
    at(bucket, receipt(1, line(1)))
    winner = body_of(bucket)
    bodies = iter(range(100))

    def replaced() -> None:
        bucket.plant(KEY, _another(winner, next(bodies)))

    happens.extend([replaced] * 3)
    with pytest.raises(ForeignObject):
        at(bucket, receipt(2, line(2)))


def _another(body: bytes, number: int) -> bytes:
    table = pq.read_table(io.BytesIO(body))
    metadata = {**(table.schema.metadata or {}), b"other": str(number).encode()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), sink)
    return sink.getvalue()


@pytest.mark.parametrize("body", [b"", b"PAR1 not really", b"{}"])
def test_what_is_no_manifest_is_left_alone(body: bytes) -> None:
    bucket = MemoryBucket(DUBLIN.name)
    bucket.plant(KEY, body)
    with pytest.raises(ForeignObject):
        at(bucket, receipt(1, line(1)))
    assert body_of(bucket) == body


def test_a_parquet_object_of_somebody_elses_is_left_alone() -> None:
    bucket = MemoryBucket(DUBLIN.name)
    at(bucket)
    sink = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(body_of(bucket))).replace_schema_metadata({}), sink)
    bucket.plant(KEY, sink.getvalue())
    with pytest.raises(ForeignObject):
        at(bucket, receipt(1, line(1)))


class Restless(MemoryBucket):
    """A store in which an object is replaced after each look at it, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(DUBLIN.name)
        self.times = times

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> Any:
        if self.times:
            self.times -= 1
            raise StaleSlice("the object is not that version")
        return super().read(found, start, stop)


def test_a_manifest_that_is_replaced_while_it_is_read_is_looked_at_again() -> None:
    bucket = Restless(0)
    at(bucket, receipt(1, line(1)))
    bucket.times = 2
    assert at(bucket, receipt(1, line(1))).generation == 1
    bucket.times = 9
    with pytest.raises(Transient):
        at(bucket, receipt(1, line(1)))


def test_the_manifest_of_another_ledger_is_left_alone() -> None:
    bucket = MemoryBucket(DUBLIN.name)
    at(bucket, receipt(1, line(1)))
    stood, told_nothing = body_of(bucket), Told()
    other: Any = ObjectManifests(bucket, Layout(), "ledger-2")
    with pytest.raises(ForeignObject, match="another ledger"):
        publish(told_nothing, other, PROFILES.name, IE.name)  # type: ignore[arg-type]
    assert body_of(bucket) == stood


class Forgetful(MemoryBucket):
    """A bucket that takes a put and stores nothing, or something else."""

    stored: bytes | None = None

    def put(self, key: str, body: Any, about: Any, replaces: Any) -> ObjectVersion:
        if self.stored is None:
            return ObjectVersion(key, len(body), "e", None)
        return super().put(key, self.stored, about, replaces)


def test_a_manifest_that_the_store_does_not_hold_is_not_published() -> None:
    bucket = Forgetful(DUBLIN.name)
    with pytest.raises(ReadBackMismatch, match="does not hold the manifest"):
        at(bucket, receipt(1, line(1)))
