"""The long trial: every kind as often as docs/reliability.md wants it, then an hour of all mixed.

``python -m tests.fire.soak`` (``make soak``) prints each kind with its trials and violations;
``--write`` puts what it counted into the page, kind by kind, and leaves kinds alone that it did
not try. ``--only`` names kinds, ``--share`` tries a part of each, ``--minutes`` is how long the mix
lasts. It ends with 1 if anything was violated. A kind that cannot be tried here is told as such.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.fire import last_soak, syscalls, trials
from tests.fire.counts import Count, Counts
from tests.fire.driving import At
from tests.fire.proxy import Spawned, spawned
from tests.fire.small_disk import SmallDisk, may_mount
from tests.fire.syscalls import DISK, Point
from tests.fire.trials import LIVE, Range, chain, firing, sides
from tests.fire.world import CREDENTIALS, ROOT

MIXED: Final = "all of these mixed"
Trial = Callable[[], None]


@dataclass
class Soak:
    """One range, one source of chance, and what it has learnt of both."""

    fire: Range
    proxy: Spawned
    chance: random.Random
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

    def kinds(self) -> dict[str, Sequence[Trial]]:
        """Return each kind with its trials."""
        return {
            "killed at every durable call": self.every(),
            "killed at durable calls, twice": [self.twice] * 500,
            "killed at a system call": [self.call] * 80 if self.calls else [],
            "killed while 15 % of requests are faulty": [self.storm] * 100,
            "killed: a door, or a hand of it": [self.process] * 20,
            "frozen beyond its lease": [self.thread_frozen, self.hand_frozen] * 5,
            "disk full, or failing": [self.disk] * 20 if may_mount() else [],
        }

    def every(self) -> list[Trial]:
        """Try each side of each point once."""
        moves = [self._killed(at) for at in sides(self.moving)]
        return [*moves, *(self._unplanned(at) for at in sides(self.planning))]

    def _killed(self, at: At) -> Trial:
        return lambda: trials.killed_moving(self.fire, at)

    def _unplanned(self, at: At) -> Trial:
        return lambda: trials.killed_planning(self.fire, at)

    def twice(self) -> None:
        first, second = chain(self.chance, self.moving, 2)
        trials.killed_moving(self.fire, first, [second])

    def call(self) -> None:
        kind = self.chance.choice(sorted(self.calls))
        number = self.chance.randrange(1, self.calls[kind] + 1)
        trials.killed_at_a_call(self.fire, Point(kind, number))

    def storm(self) -> None:
        trials.killed_in_a_storm(self.fire, self.proxy, self.chance, 2)

    def process(self) -> None:
        trials.killed_in_processes(self.fire, self.chance)

    def thread_frozen(self) -> None:
        at = At(self.chance.randrange(2, self.moving), before=self.chance.random() < 0.5)
        trials.frozen(self.fire, at)

    def hand_frozen(self) -> None:
        trials.frozen_in_processes(self.fire, self.chance)

    def disk(self) -> None:
        planning = self.chance.random() < 0.5
        bytes_, files = self.chance.randrange(300_000), self.chance.randrange(6)
        leave: Sequence[Callable[[SmallDisk], None]] = (
            lambda disk: disk.leave_bytes(bytes_),
            lambda disk: disk.leave_files(files),
        )
        if self.chance.random() < 0.6 or not self.calls:
            trials.disk_full(self.fire, self.chance.choice(leave), planning=planning)
            return
        kind = self.chance.choice([kind for kind in DISK if kind in self.calls and kind != "write"])
        at = Point(kind, self.chance.randrange(1, self.calls[kind] + 1))
        trials.disk_failing(self.fire, at, self.chance.choice(("ENOSPC", "EIO")))


OTHERS: Final[dict[str, tuple[int, str, Sequence[str]]]] = {
    "the ledger's server killed": (10, "tests.fire.postgres", ["--times", "10"]),
    "every fault of a store at every operation": (1, "tests.fire.matrix", ["--times", "1"]),
    "readers of inputs fuzzed": (1, "tests.fire.fuzz", ["--seconds", "60"]),
    "Prefect's server or worker killed": (3, "pytest", ["-q", "tests/live/test_prefect_killed.py"]),
}
"""Kinds with programs of their own: the trials of one call, the program, what it is told."""


def tried(soak: Soak, count: Count, trial: Trial) -> None:
    """Make one trial, and add it to a kind of the soak."""
    inner = soak.fire.counts = Counts()
    with suppress(AssertionError):  # Counted, and told.
        trial()
    for one in inner.kinds.values():
        count.trials += one.trials
        count.struck += one.struck
        count.violations += one.violations


def called(count: Count, times: int, module: str, told: Sequence[str]) -> None:
    """Run a program of another kind: it ends with 0 if nothing was violated."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *told],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    count.trials += times
    count.struck += times
    if ran.returncode != 0:
        count.violations.append(f"{module}: exit {ran.returncode}")
        say(ran.stdout[-4000:] + ran.stderr[-4000:])


def mixed(soak: Soak, count: Count, minutes: float) -> None:
    """Try whatever chance brings for so long."""
    kinds = [chosen for chosen in soak.kinds().values() if chosen]
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        tried(soak, count, soak.chance.choice(soak.chance.choice(kinds)))


@contextmanager
def opened(seed: int) -> Iterator[Soak]:
    """Open a soak for the length of a ``with`` block."""
    with (
        tempfile.TemporaryDirectory() as name,
        firing(Path(name)) as fire,
        spawned(fire.world.url, seed=seed, share=0.0) as proxy,
    ):
        soak = Soak(fire, proxy, random.Random(seed), Path(name))
        soak.learn()
        yield soak


def say(text: str) -> None:
    """Say something at once."""
    sys.stdout.write(text.rstrip() + "\n")
    sys.stdout.flush()


def asked() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the mix lasts")
    parser.add_argument("--share", type=float, default=1.0, help="of each kind's trials")
    parser.add_argument("--only", nargs="*", help="kinds, by a part of their names")
    parser.add_argument("--seed", type=int, default=20_260_517)
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    return parser.parse_args()


def end(counts: Counts, kind: str) -> None:
    """Tell how one kind ended."""
    it = counts.of(kind)
    say(f"{kind}: {it.trials} trials, {it.struck} struck, {len(it.violations)} violations")
    for line in it.violations:
        say(f"  VIOLATED {line}")


def try_ours(given: argparse.Namespace, counts: Counts) -> None:
    """Try the kinds that share a range, then the mix."""
    with opened(given.seed) as soak:
        for kind, chosen in soak.kinds().items():
            if wanted(given, kind):
                if not chosen:
                    say(f"NOT RUN for want of strace, or of the right to mount: {kind}")
                    continue
                most = max(1, round(len(chosen) * given.share))
                for trial in soak.chance.sample(chosen, most):
                    tried(soak, counts.of(kind), trial)
                end(counts, kind)
        if wanted(given, MIXED):
            mixed(soak, counts.of(MIXED), given.minutes)
            end(counts, MIXED)


def try_others(given: argparse.Namespace, counts: Counts) -> None:
    """Try the kinds that have programs of their own."""
    for kind, (times, module, told) in OTHERS.items():
        if wanted(given, kind) and find_spec(module) is None:
            say(f"NOT RUN for want of {module}: {kind}")
        elif wanted(given, kind):
            called(counts.of(kind), times, module, told)
            end(counts, kind)


def wanted(given: argparse.Namespace, kind: str) -> bool:
    """Say whether a kind was asked for."""
    return given.only is None or any(part in kind for part in given.only)


def main() -> int:
    """Try everything that is asked for; return 1 if anything was violated."""
    given, counts = asked(), Counts()
    os.environ |= CREDENTIALS
    try_ours(given, counts)
    try_others(given, counts)
    if given.write:
        last_soak.write(counts)
    say("\n".join(["", *counts.table()]))
    return 1 if counts.violations else 0


if __name__ == "__main__":
    sys.exit(main())
