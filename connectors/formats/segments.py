"""From pieces of text to segments of whole records, holding no record beyond its limit.

A record that began in one piece and goes on in the next is kept until it ends, unless it
outgrows ``record_bytes``: from then on only its length is counted. Memory: a piece and a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from connectors.formats.lines import Ends, Lines, Offsets, Segment
from connectors.formats.packing import Octets


class _Open:
    """The record that has begun and not ended: where, how long so far, and its bytes."""

    def __init__(self, at: int, record_bytes: int) -> None:
        self.at = at
        self.length = 0
        self._record_bytes = record_bytes
        self._parts: list[Octets] = []

    @property
    def overlong(self) -> bool:
        return self.length > self._record_bytes

    @property
    def stop(self) -> int:
        return self.at + self.length

    def grow(self, part: Octets) -> None:
        self.length += len(part)
        if self.overlong:
            self._parts.clear()
        elif len(part):
            self._parts.append(part)

    def close(self, part: Octets = b"", more: Offsets | None = None) -> Segment:
        """End the record here, and with it those that end at the offsets ``more`` of ``part``."""
        bounds = np.array([0, self.length], dtype=np.int64)
        if more is not None:
            bounds = np.concatenate((bounds, more + self.length))
        return Segment(self.at, Lines(b"".join([*self._parts, part]), bounds))


def segments(
    pieces: Iterable[Octets], at: int, ends: Ends, record_bytes: int, until: int | None = None
) -> Iterator[Segment]:
    """Yield the records of a text that goes on at byte ``at``; they tile it without a gap.

    Past ``until`` the text is read no further than the record that stands across it needs.
    """
    record = _Open(at, record_bytes)
    for piece in pieces:
        found = ends.ends(piece)
        if len(found):
            yield from _ended(record, piece, found)
            rest = int(found[-1])
            record = _Open(record.stop + rest - int(found[0]), record_bytes)
            record.grow(piece[rest:])
        else:
            record.grow(piece)
        if until is not None and record.overlong and record.stop >= until:
            break
    else:
        ends.finish()
    if record.length:
        yield record.close()


def _ended(record: _Open, piece: Octets, found: Offsets) -> Iterator[Segment]:
    """Yield what ends in this piece; the first record apart, if it outgrew its limit."""
    first, last = int(found[0]), int(found[-1])
    record.grow(piece[:first])
    if not record.overlong:
        yield record.close(piece[first:last], found[1:] - first)
        return
    yield record.close()
    if last > first:
        yield Segment(record.stop, Lines(piece[first:last], found - first))
