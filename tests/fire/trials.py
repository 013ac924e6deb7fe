"""Trials: something terrible at a chosen place, the one command again, and the judge."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGSTOP
from typing import Final

from tests.fire.counts import COUNTS, Counts
from tests.fire.driving import At, Driver, driving
from tests.fire.judge import INCOMPLETE, Judge
from tests.fire.world import FireWorld, Ground, burning

TAKEN_OVER: Final = 13
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
