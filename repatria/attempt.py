"""Attempts to decode a slice: counted before a decoder sees a byte, taken back if they end.

However an attempt ends by itself, with a batch, a refusal or a wish to stop, its decoder is
alive and the count is taken back. So what stands in the ledger are decoders that ended without a
word. Where somebody saw one end, who told the ledger of a failure of kind ``POISON``, ``most`` of
them are enough, and the slice is let be. Where nobody did, the whole run ended, for which there
are many innocent reasons (a machine that went away, a person without patience): then it takes
``UNSEEN`` times as many. A batch that is committed makes the attempt under way the first again.

A crash between any two lines leaves a count that is too high by one at most, or none at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from repatria.errors import Poison, RepatriaError, Spoilt
from repatria.ports.ledger import Failure, FailureKind, Failures
from repatria.slice import Slice

UNSEEN: Final = 5
"""How many ends that nobody saw weigh as much as one that somebody saw."""


@dataclass(slots=True)
class Attempt:
    """One attempt at one slice, of which ``most`` may end without a word."""

    failures: Failures
    piece: Slice
    most: int
    count: int = 0

    @contextmanager
    def begun(self, known: Sequence[Failure]) -> Iterator[None]:
        """Count the attempt for the length of the block; take it back if the block ends at all.

        ``known`` are the slice's failures, at any version. Raises ``Poison`` for one too many.
        """
        former = next((told for told in known if told.version == self.piece.version), None)
        if former is not None and former.kind is not FailureKind.POISON:
            self._forget()  # It ended by itself, so that nothing that was counted is an end.
            former = None
        if former is not None and former.attempts >= self.most:
            raise poison(self.piece, former.attempts)
        self.count = self.failures.attempt(self.piece.id, self.piece.version)
        if self.count > UNSEEN * self.most:
            raise poison(self.piece, self.count - 1)
        try:
            yield
        except Spoilt:
            self._take_back(former)
            raise
        except BaseException:
            with suppress(RepatriaError):  # The run ends of something worse than a count.
                self._take_back(former)
            raise

    def progressed(self) -> None:
        """Hear of a batch that was committed: the attempt under way is the first again."""
        if self.count > 1:
            self._forget()
            self.count = self.failures.attempt(self.piece.id, self.piece.version)

    def _take_back(self, former: Failure | None) -> None:
        """Leave what stood there before."""
        self._forget()
        if former is not None:
            self.failures.failed(former)

    def _forget(self) -> None:
        self.failures.finished(self.piece.id, self.piece.version)


def poison(piece: Slice, ends: int) -> Poison:
    """Say that a slice is let be."""
    return Poison("whatever decoded it ended without a word", times=ends, object=piece.label)
