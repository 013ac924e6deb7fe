"""Trials: something terrible at a chosen place, the one command again, and the judge."""

from __future__ import annotations

import os
import random
import select
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Final

from tests.fire import syscalls
from tests.fire.counts import COUNTS, Counts
from tests.fire.driving import PATIENCE_S, POLL_S, At, Child, Driver, Ended, driving
from tests.fire.judge import INCOMPLETE, Judge
from tests.fire.proxy import Spawned
from tests.fire.small_disk import SmallDisk, small_disk
from tests.fire.world import FireWorld, Ground, burning

REFUSED: Final = 10
TAKEN_OVER: Final = 13
PUTS_OF_A_RUN: Final = 16
STORM_SHARE: Final = 0.15
TWICE_SHARE: Final = 0.5
BLOWS_MAX: Final = 4
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
        return self.world.ground(name, self.world.tree(None, "threads", limits), planned=planned)

    def grown(self, name: str, runner: str, **limits: float) -> Ground:
        """Return a ground whose stripes are worked through elsewhere than in the command."""
        self.world.wipe()
        return self.world.ground(name, self.world.tree(None, runner, limits))

    def until(self, child: Child, come: Callable[[], bool]) -> bool:
        """Wait for something; False if the child ended before."""
        limit = time.monotonic() + PATIENCE_S
        while not come():
            assert time.monotonic() < limit, "nothing moves"
            if child.has_ended():
                return False
            select.select([], [], [], POLL_S)
        return True

    def stormy(self, url: str, name: str = "stormy", **limits: float) -> Ground:
        """Return a ground whose stores stand behind a fault proxy; it is planned in quiet."""
        self.world.wipe()
        limits = {"attempts": 12, "wait_s_max": 0.05, **limits}
        return self.world.ground(name, self.world.tree(url, "threads", limits))

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
    with fire.counts.trial("killed at random, 15 % of requests faulty", "in a storm") as count:
        ground = fire.stormy(storm.url)
        storm.storm(STORM_SHARE)
        for _ in range(kills):
            child = fire.driver.start(ground.config, *LIVE)
            number = chance.randrange(POINTS_OF_A_STORM)
            if fire.until(child, lambda: child.points() >= number):  # noqa: B023 - called here
                child.kill()
            count.struck += child.ended().killed
        storm.storm(0.0)
        fire.judge.finishes(ground)
        fire.judge.holds(ground)


def killed_in_processes(fire: Range, chance: random.Random) -> None:
    """Kill the door of a run, or one of its hands, after some of its puts."""
    with fire.counts.trial("killed: a door, or a hand of it", "processes") as count:
        ground = fire.grown("processes", "processes")
        child = fire.driver.start(ground.config, *LIVE)
        puts = fire.world.puts() + chance.randrange(1, PUTS_OF_A_RUN)
        if fire.until(child, lambda: fire.world.puts() >= puts and bool(child.hands())):
            hands = child.hands()
            if chance.random() < 0.5:
                child.kill()
            elif hands:
                os.kill(chance.choice(hands), SIGKILL)
                count.struck += 1
        ended = child.ended()
        count.struck += ended.killed
        assert ended.killed or ended.code == INCOMPLETE, (ended.code, ended.said)
        fire.judge.finishes(ground)
        fire.judge.holds(ground)


def frozen_in_processes(fire: Range, chance: random.Random) -> None:
    """Stop a door and its hands after some puts, finish with another run, and let them go on."""
    with fire.counts.trial("frozen beyond its lease", "processes") as count:
        ground = fire.grown("brief", "processes", lease_s=1)
        child = fire.driver.start(ground.config, *LIVE)
        puts = fire.world.puts() + chance.randrange(1, PUTS_OF_A_RUN)
        if not fire.until(child, lambda: fire.world.puts() >= puts and bool(child.hands())):
            child.ended()
            return
        frozen_ = _freeze(ground, [child.pid, *child.hands()])
        try:
            count.struck += bool(frozen_)
            fire.judge.finishes(ground)
        finally:
            for number in frozen_:
                os.kill(number, SIGCONT)
            late = child.ended()
        assert late.code in (INCOMPLETE, TAKEN_OVER), (late.code, late.said)
        fire.judge.holds(ground)


def _freeze(ground: Ground, processes: Sequence[int]) -> Sequence[int]:
    """Stop processes where none holds a lock of the ledger; those that could not be, go on."""
    for _ in range(1000):
        for number in processes:
            os.kill(number, SIGSTOP)
        if not _locked(ground):
            return processes
        for number in processes:
            os.kill(number, SIGCONT)
    return ()


def _locked(ground: Ground) -> bool:
    with closing(sqlite3.connect(ground.ledger, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
        return False


def asked_twice(fire: Range, proxy: Spawned, chance: random.Random, points: int) -> None:
    """Ask half of all requests twice, of a run that is killed and of the one that carries on."""
    with fire.counts.trial("asked twice", "duplicates") as count:
        ground = fire.stormy(proxy.url, "twice")
        before = sum(proxy.counts()["injected"].values())
        proxy.storm(TWICE_SHARE)
        fire.driver.run(ground.config, *LIVE, at=At(chance.randrange(points)))
        fire.judge.finishes(ground)
        proxy.storm(0.0)
        count.struck += sum(proxy.counts()["injected"].values()) > before
        fire.judge.holds(ground)


def struck_again_and_again(fire: Range, storm: Spawned, chance: random.Random, points: int) -> None:
    """Let one blow follow another on the same work while its stores fail, then finish in quiet."""
    blows = [
        chance.choice((_killed, _frozen, _filled)) for _ in range(chance.randint(2, BLOWS_MAX))
    ]
    told = ", ".join(blow.__name__ for blow in blows)
    with fire.counts.trial("one blow after another, in a storm", told) as count:
        ground = fire.stormy(storm.url, "battered", lease_s=1)
        with small_disk(ground) as disk:
            storm.storm(STORM_SHARE)
            for blow in blows:
                at = At(chance.randrange(points), before=chance.random() < 0.5)
                count.struck += blow(fire, ground, disk, at)
            storm.storm(0.0)
            fire.judge.finishes(ground)
            fire.judge.holds(ground)


def _killed(fire: Range, ground: Ground, _: SmallDisk, at: At) -> bool:
    return fire.driver.run(ground.config, *LIVE, at=at).killed


def _frozen(fire: Range, ground: Ground, _: SmallDisk, at: At) -> bool:
    """Stop a run while another works, let it go on beside what is left, and wait for its end."""
    ghost = fire.driver.start(ground.config, *LIVE, at=At(at.number, at.before, SIGSTOP))
    if not ghost.stopped():
        return False
    try:
        if not _locked(ground):
            fire.driver.run(ground.config, *LIVE, at=at)
    finally:
        ghost.goes_on()
        ghost.ended()
    return True


def _filled(fire: Range, ground: Ground, disk: SmallDisk, at: At) -> bool:
    """Run on a disk that has hardly any room, and make room again."""
    disk.leave_bytes(at.number << 10)
    ended = fire.driver.run(ground.config, *LIVE)
    disk.make_room()
    return ended.code == REFUSED


def chain(chance: random.Random, points: int, length: int) -> list[At]:
    """Draw points for those that carry a killed migration on: each has less left to do."""
    return [
        At(chance.randrange(max(1, points // (n + 2))), before=chance.random() < 0.5)
        for n in range(length)
    ]
