"""The long trial: every kind as often as docs/reliability.md wants it, then an hour of all mixed.

``python -m tests.fire.soak`` (``make soak``) prints each kind with its trials and violations. What
was counted stands in a file (``--carry``): a soak that was broken off, or that ``--seconds`` ended,
is carried on by the same command, and several may be at the same one side by side. ``--only``
names kinds, ``--share`` tries a part of each, ``--minutes`` is how long the mix lasts, ``--number``
makes one trial again. ``--write`` puts the counts into the page. It ends with 1 if anything
was violated, with 14 if something is left to try. A kind that cannot be tried here is told as such.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.fire import last_soak
from tests.fire.carried import Carried, Until
from tests.fire.counts import Count, Counts
from tests.fire.kinds import Kind, ours
from tests.fire.kinds_apart import Apart
from tests.fire.world import CREDENTIALS

MIXED: Final = "all of these mixed"
VIOLATED: Final = 1
LEFT: Final = 14


@dataclass(frozen=True)
class Soak:
    """What is asked for, and what was counted."""

    given: argparse.Namespace
    carried: Carried
    until: Until

    def all_of(self, kind: Kind) -> None:
        """Make the trials of a kind that are left, while there is time."""
        if kind.lacks:
            say(f"NOT RUN for want of {kind.lacks}: {kind.name}")
            return
        times = self.wanted(kind)
        while not self.until.is_over:
            number = self.carried.take(kind.name, times)
            if number is None:
                break
            self.carried.tell(kind.name, number, self.one(kind, number))
        self.ended(kind.name, self.carried.left(kind.name, times))

    def one(self, kind: Kind, number: int) -> Count:
        """Make one trial; what it violates is counted, and told at once."""
        counts, sum_ = Counts(), Count()
        try:
            kind.trial(number, Random(f"{self.given.seed} {kind.name} {number}"), counts)
        except Exception:  # noqa: BLE001 - it is counted, and all that is known of it told
            say(f"VIOLATED {kind.name} --number {number}\n{traceback.format_exc()}")
            assert counts.violations, "what is raised by a trial is counted"
        for one in counts.kinds.values():
            sum_.trials += one.trials
            sum_.struck += one.struck
            sum_.violations += [f"--number {number}: {it}" for it in one.violations]
        return sum_

    def mix(self, kinds: Sequence[Kind]) -> None:
        """Make whatever trials chance brings, until they took so long together."""
        able = [kind for kind in kinds if kind.mixes and not kind.lacks]
        lasts = 60 * self.given.minutes
        while self.carried.seconds(MIXED) < lasts and not self.until.is_over:
            drawn = self.carried.drawn(MIXED)
            kind = Random(f"{self.given.seed} {drawn}").choice(able)
            began = time.monotonic()
            number = drawn % kind.times if kind.is_listed else kind.times + drawn
            count = self.one(kind, number)
            self.carried.tell_timed(MIXED, time.monotonic() - began, count)
        self.ended(MIXED, max(0, round(lasts - self.carried.seconds(MIXED))))

    def ended(self, name: str, left: int) -> None:
        """Tell how far a kind has come."""
        it = self.carried.counts().of(name)
        violations = f"{len(it.violations)} violations"
        say(f"{name}: {it.trials} trials, {it.struck} struck, {violations}, {left} left")

    def wanted(self, kind: Kind) -> int:
        share: float = self.given.share
        return max(1, round(kind.times * share))

    def asks_for(self, name: str) -> bool:
        return self.given.only is None or any(part in name for part in self.given.only)

    def left(self, kinds: Sequence[Kind]) -> bool:
        """Say whether anything that was asked for is left to try."""
        chosen = [kind for kind in kinds if self.asks_for(kind.name) and not kind.lacks]
        some = any(self.carried.left(kind.name, self.wanted(kind)) for kind in chosen)
        mixed = self.asks_for(MIXED) and self.carried.seconds(MIXED) < 60 * self.given.minutes
        return some or mixed


def say(text: str) -> None:
    """Say something at once."""
    sys.stdout.write(text.rstrip() + "\n")
    sys.stdout.flush()


def asked() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--carry", type=Path, required=True, help="the file of what was counted")
    parser.add_argument("--seconds", type=float, help="begin no trial after so long")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the mix lasts")
    parser.add_argument("--share", type=float, default=1.0, help="of each kind's trials")
    parser.add_argument("--only", nargs="*", help="kinds, by a part of their names")
    parser.add_argument("--number", type=int, help="one trial, again; it is not counted")
    parser.add_argument("--seed", type=int, default=20_260_517)
    parser.add_argument("--write", action="store_true", help="into docs/reliability.md")
    return parser.parse_args()


def tried(soak: Soak) -> bool:
    """Try what is asked for, planted bugs last; return whether something is left."""
    with ExitStack() as stack:
        apart = Apart(soak.given.seed, stack)
        kinds = [*stack.enter_context(ours(soak.given.seed)).kinds(), *apart.kinds()]
        chosen = [kind for kind in kinds if soak.asks_for(kind.name)]
        if soak.given.number is not None:
            for kind in chosen:
                say(f"{kind.name}: {soak.one(kind, soak.given.number)}")
            return False
        for kind in chosen:
            if kind is not kinds[-1]:
                soak.all_of(kind)
        if soak.asks_for(MIXED):
            soak.mix(kinds)
        if kinds[-1] in chosen:
            soak.all_of(kinds[-1])
        return soak.left(kinds)


def main() -> int:
    """Try everything that is asked for, and tell what was counted so far."""
    given = asked()
    os.environ |= CREDENTIALS
    given.carry.parent.mkdir(parents=True, exist_ok=True)
    soak = Soak(given, Carried(given.carry, last_soak.commit()), Until(given.seconds))
    left = tried(soak)
    counts = soak.carried.counts()
    if given.write:
        last_soak.write(soak.carried)
    say("\n".join(["", *counts.table()]))
    if counts.violations:
        return VIOLATED
    return LEFT if left else 0


if __name__ == "__main__":
    sys.exit(main())
