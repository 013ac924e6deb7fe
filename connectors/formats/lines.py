"""Runs of text records: one stretch of bytes, and where each record in it ends.

No object per record: records are offsets into the stretch, which Arrow and NumPy see without
a copy. A ``Segment`` says besides where its first record stands in the decoded text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.formats.packing import Octets
from repatria.limits import MIB

Offsets = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BOM = b"\xef\xbb\xbf"
LF = 0x0A
PIECE_BYTES = MIB
"""What is looked at together: fits the second-level cache, and outweighs the calls it costs."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Records side by side: record ``i`` is ``data[bounds[i]:bounds[i + 1]]``, terminator included.

    ``bounds`` has one more element than there are records and need not begin at 0.
    """

    data: Octets = field(repr=False)
    bounds: Offsets = field(repr=False)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, place: slice) -> Lines:
        """Return consecutive records, without a copy."""
        start, stop, _ = place.indices(len(self))
        return Lines(self.data, self.bounds[start : max(start, stop) + 1])

    @property
    def octets(self) -> npt.NDArray[np.uint8]:
        """All bytes of the records, as numbers."""
        return np.frombuffer(self.data, dtype=np.uint8)[self.bounds[0] : self.bounds[-1]]

    @property
    def edges(self) -> Offsets:
        """``bounds`` counted from the first of ``octets``."""
        return cast("Offsets", self.bounds - self.bounds[0])

    def text(self) -> memoryview:
        """Return all bytes of the records as one view."""
        return memoryview(self.data)[self.bounds[0] : self.bounds[-1]]

    def one(self, number: int) -> bytes:
        """Return one record. For those already known to be odd."""
        return bytes(memoryview(self.data)[self.bounds[number] : self.bounds[number + 1]])

    def array(self) -> pa.LargeBinaryArray:
        """Return the records as Arrow sees them, without a copy."""
        if not len(self):
            return pa.array([], pa.large_binary())
        bounds = np.ascontiguousarray(self.bounds)
        buffers = [None, pa.py_buffer(bounds.data), pa.py_buffer(self.data)]
        return cast(
            "pa.LargeBinaryArray", pa.Array.from_buffers(pa.large_binary(), len(self), buffers)
        )

    def pick(self, mask: Mask) -> Lines:
        """Return the records that the mask names; copies them unless it names all."""
        if mask.all():
            return self
        if not mask.any():
            return Lines(b"", np.zeros(1, dtype=np.int64))
        return Lines.of(self.array().filter(pa.array(mask)))

    @classmethod
    def of(cls, array: pa.Array[Any]) -> Lines:
        """Look at an Arrow array without nulls, without a copy."""
        _, offsets, data = array.buffers()
        if not len(array) or offsets is None or data is None:
            return cls(b"", np.zeros(len(array) + 1, dtype=np.int64))
        bounds = np.frombuffer(memoryview(offsets), dtype=np.int64)
        return cls(memoryview(data), bounds[array.offset : array.offset + len(array) + 1])

    def content(self, blank: npt.NDArray[np.bool_]) -> tuple[Offsets, Offsets]:
        """Return where each record's content begins and ends, without blanks around it.

        Counted as ``edges`` are; equal where there is none. ``blank[octet]`` says what is blank.
        """
        solid = np.flatnonzero(~blank[self.octets])
        first = np.searchsorted(solid, self.edges[:-1])
        after = np.searchsorted(solid, self.edges[1:])
        bare = first == after
        padded = np.append(solid, -1)
        start = np.where(bare, 0, padded[first])
        return start, np.where(bare, 0, padded[after - 1] + 1)


def blanks(octets: bytes) -> npt.NDArray[np.bool_]:
    """Return the table octet → whether it is one of ``octets``."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(octets)] = True
    return table


def utf8(lines: Lines) -> Mask:
    """Say which records are UTF-8. One look at all of them where all are."""
    bounds = lines.bounds[[0, -1]]
    if _castable(Lines(lines.data, bounds)):
        return np.ones(len(lines), dtype=np.bool_)
    return np.array([_castable(lines[n : n + 1]) for n in range(len(lines))], dtype=np.bool_)


def _castable(lines: Lines) -> bool:
    try:
        lines.array().cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Segment:
    """Records in their order, the first of them at byte ``at`` of the decoded text.

    A record longer than its limit was not held: its segment has its bounds and no data.
    """

    at: int
    lines: Lines

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def starts(self) -> Offsets:
        """Where each record begins in the decoded text."""
        return self.lines.edges[:-1] + self.at

    @property
    def stop(self) -> int:
        """Where the last record ends in the decoded text."""
        return self.at + int(self.lines.bounds[-1] - self.lines.bounds[0])

    def split(self, position: int) -> tuple[Segment, Segment]:
        """Part the records that begin before ``position`` from the others."""
        middle = int(np.searchsorted(self.starts, position))
        head = Segment(self.at, self.lines[:middle])
        return head, Segment(head.stop, self.lines[middle:])


class Ends(Protocol):
    """Finds where records end, piece after piece of one text."""

    def ends(self, piece: Octets) -> Offsets:
        """Return the offsets just past the records that end in this piece."""
        ...

    def finish(self) -> None:
        """Take note that the text is over. Raises ``BadObject`` if it may not end here."""
        ...


class LineEnds:
    r"""Records end at ``\n`` and nothing else: not at ``\\r``, nor at U+2028."""

    def ends(self, piece: Octets) -> Offsets:
        return np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == LF) + 1

    def finish(self) -> None:
        """Any text may end anywhere: its last record then has no terminator."""


def even(chunks: Iterable[Octets]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of one size, the last one excepted."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= PIECE_BYTES:
            yield bytes(memoryview(held)[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)


def whole(text: memoryview) -> Segment:
    """Look at all lines of a text that is held, without a copy of it."""
    pieces = range(0, len(text), PIECE_BYTES)
    ends = [LineEnds().ends(text[start : start + PIECE_BYTES]) + start for start in pieces]
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), *ends])
    if bounds[-1] < len(text):
        bounds = np.append(bounds, len(text))
    return Segment(0, Lines(text, bounds))


def past_bom(pieces: Iterator[Octets]) -> tuple[bytes, Iterator[Octets]]:
    """Return a leading UTF-8 byte order mark (or nothing), and the pieces after it."""
    first = next(pieces, b"")
    mark = BOM if bytes(first[:3]) == BOM else b""

    def rest() -> Iterator[Octets]:
        if len(first) > len(mark):
            yield first[len(mark) :]
        yield from pieces

    return mark, rest()
