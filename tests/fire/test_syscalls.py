"""The unmodified process, killed at system calls, and on disks that fail or are full."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fire import syscalls, trials
from tests.fire.syscalls import Point
from tests.fire.trials import LIVE, Range

KILLS = {"fdatasync": 2, "pwrite64": 3, "rename": 1, "sendto": 3, "write": 1}
"""How many kills at each kind of call; ``make soak`` has more."""


def test_a_process_killed_at_a_system_call_is_carried_on_by_the_next(
    fire: Range, tmp_path: Path
) -> None:
    chance = random.Random(7_001)
    calls = syscalls.points(fire.ground().config, tmp_path, *LIVE)
    assert set(calls) >= set(KILLS), "it no longer does what is tried here"
    count = fire.counts.of("killed at a system call")
    for kind, number in KILLS.items():
        for drawn in chance.sample(range(1, calls[kind] + 1), number):
            trials.killed_at_a_call(fire, Point(kind, drawn))
    assert count.struck >= sum(KILLS.values()) - 1, "hardly any were killed"


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("at", [Point("pwrite64", 60), Point("fdatasync", 9)])
def test_a_disk_that_fails_is_told_and_then_the_work_is_carried_on(
    fire: Range, at: Point, error: str
) -> None:
    before = fire.counts.of("disk failing under it").struck
    trials.disk_failing(fire, at, error)
    assert fire.counts.of("disk failing under it").struck > before, "nobody noticed"


@pytest.mark.parametrize("free", [0, 20_480, 40_960, 131_072])
def test_a_full_disk_is_told_by_whoever_moves(fire: Range, free: int) -> None:
    trials.disk_full(fire, lambda disk: disk.leave_bytes(free), planning=False)


@pytest.mark.parametrize("free", [0, 40_960, 81_920])
def test_a_full_disk_is_told_by_whoever_plans(fire: Range, free: int) -> None:
    trials.disk_full(fire, lambda disk: disk.leave_bytes(free), planning=True)


@pytest.mark.parametrize("planning", [False, True])
@pytest.mark.parametrize("free", [0, 2, 3])
def test_a_disk_without_room_for_another_file_is_told(
    fire: Range, free: int, planning: bool
) -> None:
    trials.disk_full(fire, lambda disk: disk.leave_files(free), planning=planning)
