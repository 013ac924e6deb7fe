"""When hands that end are replaced, when a slice is let be, and when a run is stopped."""

from __future__ import annotations

import pytest

from connectors.memory.ledger import MemoryLedger
from flows.hands.deaths import IDLE_MAX, POISONED_MAX, Announced, Deaths, HandsLost
from repatria.names import DatasetName, SiteName, SliceId
from repatria.ports.ledger import FailureKind

MOST = 3


def at(number: int) -> Announced:
    return Announced(
        slice=SliceId(f"{number:032x}"),
        version="v1",
        dataset=DatasetName("posts"),
        site=SiteName("us-east"),
        label=f"{number}.csv at us-east",
    )


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def deaths(ledger: MemoryLedger, told: list[str]) -> Deaths:
    return Deaths(MOST, ledger, told.append)


def test_deaths_at_one_slice_make_it_poison_and_each_is_told(
    deaths: Deaths, ledger: MemoryLedger, told: list[str]
) -> None:
    for number in range(MOST):
        assert deaths.poison() == []
        ledger.attempt(at(1).slice, "v1")
        deaths.died(at(1), f"signal {number}")
    assert deaths.poison() == [(at(1).slice, "v1", MOST)]
    assert told[1] == "1.csv at us-east: its decoder ended by signal 1; attempt 2 of 3"
    (failure,) = ledger.failures()
    assert (failure.kind, failure.attempts) == (FailureKind.POISON, MOST)


def test_the_next_run_knows_what_was_let_be(deaths: Deaths, ledger: MemoryLedger) -> None:
    for number in (1, 1, 1, 2):
        ledger.attempt(at(number).slice, "v1")
        deaths.died(at(number), "signal 11")
    later = Deaths(MOST, None, print)
    later.know(ledger)
    assert later.poison() == [(at(1).slice, "v1", MOST)]


def test_deaths_of_hands_that_decode_nothing_stop_the_run(deaths: Deaths) -> None:
    for _ in range(IDLE_MAX - 1):
        deaths.died(None, "exit code 1")
    with pytest.raises(HandsLost):
        deaths.died(None, "exit code 1")


def test_a_machine_on_which_everything_dies_does_not_make_everything_poison(
    deaths: Deaths,
) -> None:
    for number in range(POISONED_MAX * MOST):
        deaths.died(at(number // MOST), "signal 9")
    with pytest.raises(HandsLost):
        deaths.died(at(99), "signal 9")


def test_any_batch_between_deaths_shows_that_the_machine_is_well(deaths: Deaths) -> None:
    for number in range(3 * POISONED_MAX * MOST):
        deaths.died(at(number // MOST), "signal 11")
        deaths.progressed()
    assert len(deaths.poison()) == 3 * POISONED_MAX
