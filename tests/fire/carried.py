"""What a soak has counted so far, in one file: it may be broken off anywhere and carried on.

Trials have numbers, and a number with a seed is always the same trial. Whoever makes one takes its
number first and tells its counts after it, each under a lock of the file, so that several may be
at one soak at once; what was taken by a process that is gone is given again. So no trial is
counted twice, and none is left out.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fire.counts import Count, Counts


@dataclass(frozen=True)
class Carried:
    """The file of a soak. ``commit`` names what is tried now."""

    path: Path
    commit: str

    def take(self, kind: str, times: int) -> int | None:
        """Take the first trial of a kind that nobody has made or is at; None if none is left."""
        with self._open() as told:
            known = _kind(told, kind)
            busy = {int(number) for number in known["made"]}
            busy |= {int(number) for number, pid in known["taken"].items() if _alive(pid)}
            free = next((number for number in range(times) if number not in busy), None)
            if free is not None:
                known["taken"][str(free)] = os.getpid()
            return free

    def tell(self, kind: str, number: int, count: Count) -> None:
        """Add what one trial came to."""
        with self._open() as told:
            known = _kind(told, kind)
            known["taken"].pop(str(number), None)
            known["made"].append(number)
            self._add(known, count)

    def tell_timed(self, kind: str, seconds: float, count: Count) -> None:
        """Add what one trial of a kind that goes by time came to, and how long it took."""
        with self._open() as told:
            known = _kind(told, kind)
            known["seconds"] += seconds
            self._add(known, count)

    def drawn(self, kind: str) -> int:
        """Return a new number for a trial of a kind that goes by time."""
        with self._open() as told:
            known = _kind(told, kind)
            known["drawn"] += 1
            return int(known["drawn"]) - 1

    def seconds(self, kind: str) -> float:
        """Return how long the trials of a kind took together."""
        with self._open() as told:
            return float(_kind(told, kind)["seconds"])

    def left(self, kind: str, times: int) -> int:
        """Return how many trials of a kind are not made yet."""
        with self._open() as told:
            made: list[int] = _kind(told, kind)["made"]
            return times - sum(number < times for number in made)

    def counts(self) -> Counts:
        """Return all that was told so far."""
        with self._open() as told:
            kinds = {kind: known["count"] for kind, known in told.items() if known["commits"]}
        counts = Counts()
        counts.heard(kinds)
        return counts

    def commits(self, kind: str) -> list[str]:
        """Return what was tried, the oldest first."""
        with self._open() as told:
            return list(_kind(told, kind)["commits"])

    def _add(self, known: dict[str, Any], count: Count) -> None:
        known["count"]["trials"] += count.trials
        known["count"]["struck"] += count.struck
        known["count"]["violations"] += count.violations
        if self.commit not in known["commits"]:
            known["commits"].append(self.commit)

    @contextmanager
    def _open(self) -> Iterator[dict[str, Any]]:
        """Hold the file for a moment; what was changed in it is written as the block ends."""
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.path.read_text("utf-8") if self.path.exists() else "{}"
            told: dict[str, Any] = json.loads(before)
            yield told
            after = json.dumps(told, indent=1)
            if after != before:
                new = self.path.with_suffix(".new")
                new.write_text(after, "utf-8")
                new.replace(self.path)


def _kind(told: dict[str, Any], kind: str) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "count": {"trials": 0, "struck": 0, "violations": []},
        "made": [],
        "taken": {},
        "drawn": 0,
        "seconds": 0.0,
        "commits": [],
    }
    found: dict[str, Any] = told.setdefault(kind, empty)
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Until:
    """A time at which to begin no further trial."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end
