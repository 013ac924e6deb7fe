"""Trials: something terrible at a chosen place, the one command again, and the judge."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGSTOP
from typing import Final

from tests.fire import syscalls
from tests.fire.counts import COUNTS, Counts
from tests.fire.driving import At, Driver, Ended, driving
from tests.fire.judge import INCOMPLETE, Judge
from tests.fire.proxy import Spawned
from tests.fire.small_disk import SmallDisk, small_disk
from tests.fire.world import FireWorld, Ground, burning

REFUSED: Final = 10
TAKEN_OVER: Final = 13
STORM_SHARE: Final = 0.15
POINTS_OF_A_STORM: Final = 45
"""A killed run is killed after it made up to so many durable calls."""
LIVE: Final = ("migrate", "--live")


@dataclass
class Range:
    """Everything that trials share: one world, one driver, one judge, one count."""

    world: FireWorld
    driver: Driver
    judge: Judge
    counts: Counts = field(default_factory=lambda: COUNTS)

    def ground(self, name: str = "plain", *, planned: bool = True, **limits: float) -> Ground:
        """Return a ground as it was before, over empty homes."""
        self.world.wipe()
        return self.world.ground(name, self.world.tree(None, **limits), planned=planned)

    def stormy(self, url: str) -> Ground:
        """Return a ground whose stores stand behind a fault proxy; it is planned in quiet."""
        self.world.wipe()
        patience = {"attempts": 12, "wait_s_max": 0.05}
        return self.world.ground("stormy", self.world.tree(url, **patience))

    def bare(self) -> Ground:
        """Return a ground on which nothing is planned yet."""
        return self.ground("bare", planned=False)

    def points(self, ground: Ground, *words: str) -> tuple[str, ...]:
        """Return the name of every durable call that a command makes if nothing happens to it."""
        return self.driver.run(ground.config, *words).points


@contextmanager
def firing(folder: Path) -> Iterator[Range]:
    """Open a range for the length of a ``with`` block."""
    with burning(folder) as world, driving(folder / "driver") as driver:
        yield Range(world, driver, Judge(world, driver))


def sides(points: int, every: int = 1, offset: int = 0) -> list[At]:
    """Return every so-maniest side of so many points: before the first, after it, and so on."""
    return [At(n // 2, before=n % 2 == 0) for n in range(offset, 2 * points, every)]


def killed_moving(fire: Range, at: At, again: Sequence[At] = ()) -> None:
    """Kill a migration at one point, those that carry it on at others, and let the last finish."""
    with fire.counts.trial("killed at a failpoint", f"migrate {at} {again}") as count:
        ground = fire.ground()
        for one in (at, *again):
            count.struck += fire.driver.run(ground.config, *LIVE, at=one).killed
        fire.judge.finishes(ground)
        fire.judge.holds(ground)


def killed_planning(fire: Range, at: At) -> None:
    """Kill a planning at one point, plan again, and move."""
    with fire.counts.trial("killed at a failpoint", f"plan {at}") as count:
        ground = fire.bare()
        count.struck += fire.driver.run(ground.config, "plan", at=at).killed
        planned = fire.driver.run(ground.config, "plan")
        assert planned.code == 0, planned.said
        fire.judge.finishes(ground)
        fire.judge.holds(ground)


def frozen(fire: Range, at: At) -> None:
    """Stop a migration at one point, finish with another after its lease, and let it go on."""
    with fire.counts.trial("frozen beyond its lease", f"{at}") as count:
        ground = fire.ground("short", lease_s=1)
        ghost = fire.driver.start(ground.config, *LIVE, at=At(at.number, at.before, SIGSTOP))
        if not ghost.stopped():
            return
        if _locked(ground):  # All others would wait for it: it is the beat that it was at.
            ghost.goes_on()
            ghost.ended()
            return
        try:
            count.struck += 1
            fire.judge.finishes(ground)
            fire.judge.holds(ground, verify=False)
        finally:
            ghost.goes_on()
            late = ghost.ended()
        assert late.code in (INCOMPLETE, TAKEN_OVER), (late.code, late.said)
        fire.judge.holds(ground)


def killed_at_a_call(fire: Range, at: syscalls.Point) -> None:
    """Kill the unmodified command at a system call."""
    with fire.counts.trial("killed at a system call", f"{at}") as count:
        ground = fire.ground()
        count.struck += syscalls.killed(ground.config, at, *LIVE).killed
        fire.judge.finishes(ground)
        fire.judge.holds(ground)


def disk_failing(fire: Range, at: syscalls.Point, error: str) -> None:
    """Let a kind of system call fail from a point on: a clear refusal, then all as ever."""
    with fire.counts.trial("disk failing under it", f"{at} {error}") as count:
        ground = fire.ground()
        ended = syscalls.failing(ground.config, at, error, *LIVE)
        if ended.code != INCOMPLETE:
            count.struck += 1
            _refused_for_the_disk(ended)
        fire.judge.finishes(ground)
        fire.judge.holds(ground)


def disk_full(fire: Range, leave: Callable[[SmallDisk], None], *, planning: bool) -> None:
    """Fill the disk of the state but for a little: a clear refusal, then all as ever."""
    with fire.counts.trial("disk full", "planning" if planning else "moving") as count:
        ground = fire.bare() if planning else fire.ground()
        words = ("plan",) if planning else LIVE
        with small_disk(ground) as disk:
            leave(disk)
            ended = fire.driver.run(ground.config, *words)
            if ended.code not in (0, INCOMPLETE):
                count.struck += 1
                _refused_for_the_disk(ended)
            disk.make_room()
            again = fire.driver.run(ground.config, "plan") if planning else None
            assert again is None or again.code == 0, again.said
            fire.judge.finishes(ground)
            fire.judge.holds(ground)


def _refused_for_the_disk(ended: Ended) -> None:
    assert ended.code == REFUSED, (ended.code, ended.said)
    assert "disk" in ended.said, ended.said
    assert "room" in ended.said or "disk of the ledger" in ended.said, ended.said


def killed_in_a_storm(fire: Range, storm: Spawned, chance: random.Random, kills: int) -> None:
    """Kill a migration at random times while its stores fail, then let one finish in quiet."""
    with fire.counts.trial("killed at random, 15 % of requests faulty", "at random") as count:
        ground = fire.stormy(storm.url)
        storm.storm(STORM_SHARE)
        for _ in range(kills):
            child = fire.driver.start(ground.config, *LIVE)
            if child.points_reached(chance.randrange(POINTS_OF_A_STORM)):
                child.kill()
            count.struck += child.ended().killed
        storm.storm(0.0)
        fire.judge.finishes(ground)
        fire.judge.holds(ground)


def _locked(ground: Ground) -> bool:
    with closing(sqlite3.connect(ground.ledger, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
        return False


def chain(chance: random.Random, points: int, length: int) -> list[At]:
    """Draw points for those that carry a killed migration on: each has less left to do."""
    return [
        At(chance.randrange(max(1, points // (n + 2))), before=chance.random() < 0.5)
        for n in range(length)
    ]
