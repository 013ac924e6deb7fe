"""A process that dies or stops at a durable call, before it or after it, spoils nothing."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.fire import trials
from tests.fire.driving import At
from tests.fire.trials import LIVE, Range, chain, sides

EVERY = 7
"""Of all sides of all points a run of the suite tries each so-maniest; ``make soak`` tries all."""


@pytest.fixture(scope="module")
def moving(fire: Range) -> tuple[str, ...]:
    return fire.points(fire.ground(), *LIVE)


@pytest.fixture(scope="module")
def planning(fire: Range) -> tuple[str, ...]:
    return fire.points(fire.bare(), "plan")


def test_a_run_crosses_every_kind_of_point(
    moving: tuple[str, ...], planning: tuple[str, ...]
) -> None:
    """If a call is no longer made, the tests below prove less than they seem to."""
    assert set(moving) >= {
        *("store.probe", "store.put", "file.replace", "ledger.begin", "ledger.claim"),
        *("ledger.attempt", "ledger.commit", "ledger.finished", "ledger.finish_stripe"),
        *("ledger.release", "ledger.end"),
    }
    assert set(planning) >= {
        *("ledger.fix_cutting", "spool.append", "file.replace"),
        *("ledger.save_config", "ledger.save_plan"),
    }
    assert Counter(moving)["store.put"] > 20


def test_a_migration_killed_again_and_again_finishes_as_if_nothing_had_happened(
    fire: Range, moving: tuple[str, ...]
) -> None:
    chance = random.Random(20_260_801)
    for at in sides(len(moving), EVERY, offset=3):
        before = fire.counts.kills
        trials.killed_moving(fire, at, chain(chance, len(moving), 1))
        assert fire.counts.kills > before, "it ended before it was killed"


def test_a_planning_that_was_killed_is_planned_again(
    fire: Range, planning: tuple[str, ...]
) -> None:
    for at in sides(len(planning), EVERY):
        before = fire.counts.kills
        trials.killed_planning(fire, at)
        assert fire.counts.kills > before, "it ended before it was killed"


def test_a_worker_that_stopped_while_another_finished_does_nothing_wrong_when_it_goes_on(
    fire: Range, moving: tuple[str, ...]
) -> None:
    first, *_, last = [number for number, name in enumerate(moving) if name == "store.put"]
    commits = [number for number, name in enumerate(moving) if name == "ledger.commit"]
    count = fire.counts.of("frozen beyond its lease")
    before = count.struck
    for at in (
        At(first + 2),
        At(first + 3, before=False),
        At(commits[1]),
        At(commits[2], before=False),
        At(last),
    ):
        trials.frozen(fire, at)
    assert count.struck - before >= 4, "hardly any stopped where it should"
