"""A lease is taken when it is free, when its holder is dead, or when it was watched in vain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.memory.ledger import MemoryLedger
from connectors.memory.rules import MemoryClock
from repatria.errors import FenceLost
from repatria.leasing import Tenancy
from repatria.ports.leases import Lease

LENGTH_S = 15.0


class Passing(MemoryClock):
    """A clock on which something may happen each time that somebody sleeps."""

    def __init__(self, happens: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.happens = happens

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.happens()


def tenancy(
    ledger: MemoryLedger, holder: str, clock: MemoryClock, dead: frozenset[str] = frozenset()
) -> Tenancy:
    return Tenancy(
        leases=ledger, holder=holder, clock=clock, lease_s=LENGTH_S, dead=dead.__contains__
    )


def held(ledger: MemoryLedger) -> Lease:
    lease = ledger.take("stripe", "a", None)
    assert lease is not None
    return lease


def test_a_free_lease_is_taken_at_once_and_given_back() -> None:
    ledger, clock = MemoryLedger(), Passing()
    with tenancy(ledger, "a", clock).hold("stripe") as lease:
        assert lease.fence == 1
        assert ledger.look("stripe") == ("a", 1, 0)
    assert ledger.look("stripe") is None
    assert clock.slept == []


def test_it_is_given_back_when_the_work_fails() -> None:
    ledger = MemoryLedger()
    with pytest.raises(ZeroDivisionError), tenancy(ledger, "a", Passing()).hold("stripe"):
        raise ZeroDivisionError
    assert ledger.look("stripe") is None


def test_the_lease_of_a_dead_holder_is_taken_at_once() -> None:
    ledger, clock = MemoryLedger(), Passing()
    old = held(ledger)
    with tenancy(ledger, "b", clock, frozenset({"a"})).hold("stripe") as lease:
        assert lease.fence == old.fence + 1
    assert clock.slept == []


def test_a_silent_holder_is_watched_for_a_whole_lease_first() -> None:
    ledger, clock = MemoryLedger(), Passing()
    held(ledger)
    with tenancy(ledger, "b", clock).hold("stripe") as lease:
        assert lease.fence == 2
    assert sum(clock.slept) == LENGTH_S


def test_a_holder_who_beats_is_left_alone() -> None:
    ledger = MemoryLedger()
    lease = held(ledger)
    clock = Passing(lambda: ledger.beat(lease))
    with pytest.raises(FenceLost), tenancy(ledger, "b", clock).hold("stripe"):
        pass
    assert sum(clock.slept) < LENGTH_S, "one beat is enough to know"
    ledger.beat(lease)


def test_a_beat_at_the_last_moment_counts() -> None:
    ledger, clock = MemoryLedger(), Passing()
    lease = held(ledger)

    def late() -> None:
        if clock.monotonic() >= LENGTH_S:
            ledger.beat(lease)

    clock.happens = late
    with pytest.raises(FenceLost), tenancy(ledger, "b", clock).hold("stripe"):
        pass


def test_who_comes_second_after_a_dead_holder_goes_without() -> None:
    ledger, clock = MemoryLedger(), Passing()
    held(ledger)

    def dead(_: str) -> bool:
        ledger.take("stripe", "c", (1, 0))
        return True

    slow = Tenancy(leases=ledger, holder="b", clock=clock, lease_s=LENGTH_S, dead=dead)
    with pytest.raises(FenceLost), slow.hold("stripe"):
        pass
    assert ledger.look("stripe") == ("c", 2, 0)


def test_a_lease_that_was_lost_is_not_given_back_in_anothers_name() -> None:
    ledger = MemoryLedger()
    with tenancy(ledger, "a", Passing()).hold("stripe"):
        assert ledger.take("stripe", "b", (1, 0)) is not None
    assert ledger.look("stripe") == ("b", 2, 0)


@pytest.mark.parametrize("days", [400, -400])
def test_a_wall_clock_that_is_turned_neither_shortens_nor_lengthens_the_watch(days: int) -> None:
    ledger = MemoryLedger()
    held(ledger)

    def turn() -> None:
        if len(clock.slept) == 1:
            clock.turn(clock.now() + timedelta(days=days))

    clock = Passing(turn)
    with tenancy(ledger, "b", clock).hold("stripe") as lease:
        assert lease.fence == 2
    assert sum(clock.slept) == pytest.approx(LENGTH_S)
