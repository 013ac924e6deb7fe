from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from connectors.clock import SystemClock
from connectors.memory.rules import (
    MemoryApprovals,
    MemoryClock,
    MemoryKeys,
    MemoryTombstones,
    NoTombstones,
)
from repatria.ports.rules import Approvals, Clock, Keys, Tombstones


def test_each_is_what_its_port_asks_for() -> None:
    ports: tuple[Approvals, Tombstones, Tombstones, Keys, Clock, Clock] = (
        MemoryApprovals(),
        MemoryTombstones(),
        NoTombstones(),
        MemoryKeys(),
        MemoryClock(),
        SystemClock(),
    )
    assert len(ports) == 6


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_marked_users_are_erased_whatever_their_column_is_made_of(kind: pa.DataType) -> None:
    marks = MemoryTombstones(["u1"])
    users = pa.array(["u1", "u2", None], pa.string()).cast(kind)
    assert marks.erased(users).tolist() == [True, False, False]
    assert marks.sequence == 1
    assert marks.add("u2") == marks.sequence == 2
    assert marks.erased(users).tolist() == [True, True, False]


def test_marked_users_may_be_numbers() -> None:
    assert MemoryTombstones([7]).erased(pa.array([7, 8], pa.int64())).tolist() == [True, False]


def test_without_marks_nobody_is_erased() -> None:
    users = pa.array(["u1", None])
    assert NoTombstones().erased(users).tolist() == [False, False]
    assert MemoryTombstones().erased(users).tolist() == [False, False]
    assert NoTombstones().sequence == MemoryTombstones().sequence == 0


def test_an_approval_stands_until_it_is_withdrawn() -> None:
    approvals = MemoryApprovals()
    approvals.approve("d1", "ada")
    approvals.approve("d1", "ada")
    approvals.approve("d1", "grace")
    approvals.withdraw("d1", "ada")
    assert approvals.approvers("d1") == {"grace"}
    assert approvals.approvers("d2") == frozenset()


def test_keys_differ_by_purpose_and_by_secret_and_last() -> None:
    keys = MemoryKeys()
    assert keys.key("slices") == MemoryKeys().key("slices")
    assert len({keys.key("slices"), keys.key("users"), MemoryKeys(b"x").key("users")}) == 3
    assert len(keys.key("slices")) == 32


def test_time_passes_only_when_it_is_told_to() -> None:
    clock = MemoryClock(datetime(2026, 5, 1, tzinfo=UTC))
    clock.sleep(2.5)
    clock.advance(1.0)
    assert clock.now() == datetime(2026, 5, 1, 0, 0, 3, 500_000, tzinfo=UTC)
    clock.turn(clock.now() - timedelta(hours=1))
    clock.advance(1.0)
    assert clock.monotonic() == 4.5
    assert clock.now() == datetime(2026, 4, 30, 23, 0, 4, 500_000, tzinfo=UTC)
    assert clock.slept == [2.5]


def test_the_machines_clock_tells_utc_and_runs_on() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0)
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() >= before
