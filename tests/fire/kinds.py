"""Kinds of trials that share one range: the faults of processes, stores and disks.

A trial is a number and a source of chance that was made from it: given again, it is the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.fire import syscalls, trials
from tests.fire.counts import Counts
from tests.fire.driving import At
from tests.fire.faults import Fault
from tests.fire.proxy import Spawned, spawned
from tests.fire.small_disk import SmallDisk, may_mount
from tests.fire.syscalls import DISK, Point
from tests.fire.trials import LIVE, Range, chain, firing, sides

Trial = Callable[[int, Random, Counts], None]


@dataclass(frozen=True)
class Kind:
    """``times`` trials are wanted of it; ``lacks`` says what this machine has not, for want of
    which it cannot be tried. ``mixes``: it is quick, and part of the mix. ``is_listed``: its
    numbers are those of a list, and end with it; else there are as many as are wanted."""

    name: str
    times: int
    trial: Trial
    lacks: str = ""
    mixes: bool = True
    is_listed: bool = False


@dataclass
class Ours:
    """One range, and what was learnt of it."""

    fire: Range
    proxy: Spawned
    twice_asked: Spawned
    folder: Path
    moving: int = 0
    planning: int = 0
    calls: dict[str, int] = field(default_factory=dict)

    def learn(self) -> None:
        """Count the points of a run to which nothing happens."""
        self.moving = len(self.fire.points(self.fire.ground(), *LIVE))
        self.planning = len(self.fire.points(self.fire.bare(), "plan"))
        if shutil.which("strace") is not None:
            self.calls = syscalls.points(self.fire.ground().config, self.folder, *LIVE)

    def kinds(self) -> list[Kind]:
        """Return each kind, and how many trials are wanted of it."""
        traced = "" if self.calls else "strace"
        mounts = "" if may_mount() else "the right to mount"
        every = 2 * (self.moving + self.planning)
        return [
            Kind("killed at every durable call", every, self._ours(self.every), is_listed=True),
            Kind("killed at durable calls, twice", 500, self._ours(self.twice)),
            Kind("killed at a system call", 80, self._ours(self.call), traced),
            Kind("killed while 15 % of requests are faulty", 100, self._ours(self.storm)),
            Kind("killed: a door, or a hand of it", 20, self._ours(self.process)),
            Kind("frozen beyond its lease", 10, self._ours(self.freeze)),
            Kind("disk full, or failing", 20, self._ours(self.disk), mounts),
            Kind("half of all requests asked twice", 20, self._ours(self.asked_twice)),
            Kind("one blow after another, in a storm", 20, self._ours(self.blows), mounts),
        ]

    def _ours(self, trial: Callable[[int, Random], None]) -> Trial:
        def counted(number: int, chance: Random, counts: Counts) -> None:
            self.fire.counts = counts
            trial(number, chance)

        return counted

    def every(self, number: int, _: Random) -> None:
        """Try each side of each point once."""
        moves = sides(self.moving)
        if number < len(moves):
            trials.killed_moving(self.fire, moves[number])
        else:
            trials.killed_planning(self.fire, sides(self.planning)[number - len(moves)])

    def twice(self, _: int, chance: Random) -> None:
        first, second = chain(chance, self.moving, 2)
        trials.killed_moving(self.fire, first, [second])

    def call(self, _: int, chance: Random) -> None:
        kind = chance.choice(sorted(self.calls))
        number = chance.randrange(1, self.calls[kind] + 1)
        trials.killed_at_a_call(self.fire, Point(kind, number))

    def storm(self, _: int, chance: Random) -> None:
        trials.killed_in_a_storm(self.fire, self.proxy, chance, 2)

    def process(self, _: int, chance: Random) -> None:
        trials.killed_in_processes(self.fire, chance)

    def freeze(self, number: int, chance: Random) -> None:
        """Freeze threads and processes in turn."""
        if number % 2:
            trials.frozen_in_processes(self.fire, chance)
            return
        at = At(chance.randrange(2, self.moving), before=chance.random() < 0.5)
        trials.frozen(self.fire, at)

    def disk(self, _: int, chance: Random) -> None:
        """Fill a disk, or let it fail."""
        planning = chance.random() < 0.5
        bytes_, files = chance.randrange(300_000), chance.randrange(6)
        leave: Sequence[Callable[[SmallDisk], None]] = (
            lambda disk: disk.leave_bytes(bytes_),
            lambda disk: disk.leave_files(files),
        )
        if chance.random() < 0.6 or not self.calls:
            trials.disk_full(self.fire, chance.choice(leave), planning=planning)
            return
        kind = chance.choice([kind for kind in DISK if kind in self.calls and kind != "write"])
        at = Point(kind, chance.randrange(1, self.calls[kind] + 1))
        trials.disk_failing(self.fire, at, chance.choice(("ENOSPC", "EIO")))

    def asked_twice(self, _: int, chance: Random) -> None:
        trials.asked_twice(self.fire, self.twice_asked, chance, self.moving)

    def blows(self, _: int, chance: Random) -> None:
        trials.struck_again_and_again(self.fire, self.proxy, chance, self.moving)


@contextmanager
def ours(seed: int) -> Iterator[Ours]:
    """Open a range and its proxies for the length of a ``with`` block."""
    with (
        TemporaryDirectory() as name,
        firing(Path(name)) as fire,
        spawned(fire.world.url, seed=seed, share=0.0) as proxy,
        spawned(fire.world.url, seed=seed, share=0.0, faults=[Fault.DUPLICATE]) as twice,
    ):
        found = Ours(fire, proxy, twice, Path(name))
        found.learn()
        yield found
