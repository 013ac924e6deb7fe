"""Windows: which records make up a batch, by where they begin and by nothing else.

Batch *n* holds the records that begin in decoded bytes [n·B, (n+1)·B), counted from the slice's
own origin, so that the same bytes and the same B give the same batches however the network,
the memory or a restart cut the stream. A window in which no record begins is an empty batch:
ordinals are names and may not shift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.formats.lines import Segment
from repatria.names import Ordinal


@dataclass(frozen=True, slots=True)
class Span:
    """Where a slice's windows lie: from ``origin``, ``window_bytes`` each, to ``stop`` or the end.

    With a ``stop`` the slice owns the records that begin in [origin, stop).
    """

    origin: int
    window_bytes: int
    stop: int | None = None

    def low(self, ordinal: Ordinal) -> int:
        """Return where a window begins."""
        return self.origin + ordinal * self.window_bytes

    def high(self, ordinal: Ordinal) -> int:
        """Return where a window ends."""
        high = self.low(ordinal + 1)
        return high if self.stop is None else min(high, self.stop)

    def number(self, at: int) -> Ordinal:
        """Return the window in which a record that begins at a byte belongs."""
        return (at - self.origin) // self.window_bytes

    def count(self, end: int) -> int:
        """Return how many windows there are if the text ends at ``end``: one at least."""
        reach = (end if self.stop is None else self.stop) - self.origin
        return max(1, -(-reach // self.window_bytes))


@dataclass(frozen=True, slots=True)
class Window:
    """The records of one batch, yet to be judged."""

    ordinal: Ordinal
    last: bool
    segments: tuple[Segment, ...]


def windows(segments: Iterable[Segment], span: Span, first: Ordinal) -> Iterator[Window]:
    """Yield the windows from ``first`` on. Records that begin before it are passed over.

    One window is held at a time. Reads no segment beyond the one that reaches ``span.stop``.
    """
    ordinal, end = first, span.origin
    held: list[Segment] = []
    for segment in segments:
        end = segment.stop
        _, rest = segment.split(span.low(first))
        here, rest = rest.split(span.high(ordinal))
        held.append(here)
        while len(rest) and span.high(ordinal) != span.stop:
            yield Window(ordinal, last=False, segments=_filled(held))
            ordinal += 1
            here, rest = rest.split(span.high(ordinal))
            held = [here]
        if span.stop is not None and end >= span.stop:
            break
    for number in range(ordinal, span.count(end)):
        last = number == span.count(end) - 1
        yield Window(number, last=last, segments=_filled(held) if number == ordinal else ())


def _filled(held: Iterable[Segment]) -> tuple[Segment, ...]:
    return tuple(segment for segment in held if len(segment))
