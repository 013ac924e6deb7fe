"""JSON lines: one object per line, carried as the bytes it is.

A plain object larger than ``slice_bytes`` is cut into byte ranges: a range owns the lines that
begin in it, and reads one byte before it (does a line begin at its start?) and past its end as
far as its last line goes. A packed one is one slice read in sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from connectors.formats.budget import within
from connectors.formats.carried import Reading, body, rows_of
from connectors.formats.codec import Access
from connectors.formats.json_judge import JsonJudge
from connectors.formats.lines import BOM, PIECE_BYTES, LineEnds, Segment, even, past_bom, whole
from connectors.formats.packing import (
    Octets,
    compression_of,
    packed,
    packing_of,
    unlimited,
    unpacked,
    view,
)
from connectors.formats.segments import segments
from connectors.formats.windows import Span, windows
from repatria.batch import Batch
from repatria.dataset import Compression, Dataset
from repatria.errors import BadObject, ReadBackMismatch
from repatria.limits import MIB, Limits
from repatria.names import Ordinal
from repatria.slice import ByteRange, Cut, Slice, Whole

_NO_LIMIT = 1 << 62
_READ_BYTES = 8 * MIB
_OVERRUN_BYTES = 256 * 1024  # What a range's last line is first looked for in.


class JsonLines:
    """The codec of JSON lines."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def cut(self, dataset: Dataset, access: Access, name: str) -> tuple[Cut, ...]:
        step = self._limits.slice_bytes
        packed_object = compression_of(dataset, name) is not Compression.NONE
        if packed_object or access.size <= step:
            return (Whole(),)
        starts = range(0, access.size, step)
        return tuple(ByteRange(start, min(start + step, access.size)) for start in starts)

    def batches(
        self, dataset: Dataset, piece: Slice, access: Access, after: Ordinal | None
    ) -> Iterator[Batch]:
        judge = JsonJudge(dataset.deciding, self._limits.nesting)
        reading = Reading(piece, dataset.deciding, self._limits, judge)
        first = 0 if after is None else after + 1
        span = self._span(dataset, piece, access)
        with self._records(dataset, piece, access, span, first) as records:
            counted = within(records, span, self._limits, piece.label)
            for window in windows(counted, span, first):
                yield reading.batch(window)

    def encode(self, dataset: Dataset, rows: pa.Table, preamble: bytes, name: str) -> pa.Buffer:
        assert not preamble, "JSON lines have no preamble"
        return packed(body(rows, preamble), compression_of(dataset, name))

    def decode(self, dataset: Dataset, body: pa.Buffer, name: str) -> pa.Table:
        packing = unlimited(compression_of(dataset, name))
        if packing.compression is Compression.NONE:
            return rows_of([whole(view(body))])
        try:
            plain = unpacked([view(body)], packing)
            return rows_of(segments(even(plain), 0, LineEnds(), _NO_LIMIT))
        except BadObject as error:
            raise ReadBackMismatch(
                "a parcel does not read back as JSON lines", why=str(error)
            ) from error

    def _span(self, dataset: Dataset, piece: Slice, access: Access) -> Span:
        if isinstance(piece.cut, ByteRange):
            return Span(piece.cut.start, self._limits.batch_bytes, piece.cut.stop)
        return Span(0, self._limits.batch_bytes)

    @contextmanager
    def _records(
        self, dataset: Dataset, piece: Slice, access: Access, span: Span, first: Ordinal
    ) -> Iterator[Iterator[Segment]]:
        """Open the text where the window ``first`` begins, or before it."""
        packing = packing_of(dataset, piece, access.size, self._limits)
        if packing.compression is not Compression.NONE or (span.stop is None and first == 0):
            with access.stream() as chunks:
                yield self._segments(even(unpacked(chunks, packing)), 0, None)
            return
        begin = span.low(first) - 1
        begin = begin if begin > len(BOM) else 0
        stop = access.size if span.stop is None else span.stop
        yield self._segments(_ranged(access, begin, stop), begin, span.stop)

    def _segments(self, pieces: Iterator[Octets], at: int, until: int | None) -> Iterator[Segment]:
        if at == 0:
            mark, pieces = past_bom(pieces)
            at = len(mark)
        return segments(pieces, at, LineEnds(), self._limits.record_bytes, until)


def _ranged(access: Access, start: int, stop: int) -> Iterator[Octets]:
    """Read from ``start`` on in few large reads, past ``stop`` in small ones that grow."""
    overrun = _OVERRUN_BYTES
    while start < access.size:
        if start < stop:
            end = min(start + _READ_BYTES, max(stop, len(BOM)), access.size)
        else:
            end = min(start + overrun, access.size)
            overrun = min(2 * overrun, _READ_BYTES)
        read = view(access.read(start, end))
        for offset in range(0, len(read), PIECE_BYTES):
            yield read[offset : offset + PIECE_BYTES]
        start = end
