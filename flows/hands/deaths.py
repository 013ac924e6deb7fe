"""Counts hands that ended without a word, and says when it is enough.

A slice at which decoders end again and again is let be (``Poison``), and the run goes on. Ends
that tell of nothing, and ends one after another wherever the hands are, are not an object's
fault: the machine has too little memory, most likely. They stop the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from repatria.errors import Refused
from repatria.names import DatasetName, SiteName, SliceId
from repatria.ports.ledger import Failure, FailureKind, Failures

IDLE_MAX: Final = 3
"""Ends in a row of hands that decoded nothing."""
POISONED_MAX: Final = 3
"""Slices in a row that may be let be without one batch between them."""


class HandsLost(Refused):
    """The processes that work ended one after another, whatever they did."""

    hint = (
        "Most often memory is short: lower `limits.workers`, or give the machine more, and look at "
        "what the system logged (`dmesg`). Then run the same command again."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What a hand said that it decodes."""

    slice: SliceId
    version: str
    dataset: DatasetName
    site: SiteName
    label: str


@dataclass(slots=True)
class Deaths:
    """The deaths of one run. ``failures`` is told of them where the run writes a ledger.

    ``most`` at one slice are enough. ``tell`` hears a line about each.
    """

    most: int
    failures: Failures | None
    tell: Callable[[str], None]
    counts: dict[tuple[SliceId, str], int] = field(default_factory=dict)
    _row: int = 0
    _idle: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def know(self, failures: Failures) -> None:
        """Take over what earlier runs let be."""
        for told in failures.failures():
            if told.kind is FailureKind.POISON and told.attempts >= self.most:
                self.counts[told.slice, told.version] = told.attempts

    def progressed(self) -> None:
        """Hear of a batch."""
        with self._lock:
            self._row = self._idle = 0

    def died(self, at: Announced | None, how: str) -> None:
        """Count a death. Raises ``HandsLost`` when there were too many of a kind."""
        with self._lock:
            self._row += 1
            self._idle = self._idle + 1 if at is None else 0
            idle, row = self._idle, self._row
            count = 0
            if at is not None:
                count = self.counts.get((at.slice, at.version), 0) + 1
                self.counts[at.slice, at.version] = count
        if at is None:
            self.tell(f"a worker process ended by {how}; another takes its place")
        else:
            told = f"its decoder ended by {how}; attempt {count} of {self.most}"
            self.tell(f"{at.label}: {told}")
            if self.failures is not None:
                self.failures.failed(_failure(at, told, count))
        if idle >= IDLE_MAX or row > POISONED_MAX * self.most:
            raise HandsLost("worker processes end without a word", in_a_row=row, last=how)

    def poison(self) -> list[tuple[str, str, int]]:
        """Return what must not be decoded: slice, version, and how often it was tried."""
        with self._lock:
            return [(*key, count) for key, count in self.counts.items() if count >= self.most]


def _failure(at: Announced, why: str, attempts: int) -> Failure:
    return Failure(
        slice=at.slice,
        version=at.version,
        dataset=at.dataset,
        site=at.site,
        label=at.label,
        kind=FailureKind.POISON,
        why=why,
        attempts=attempts,
    )
