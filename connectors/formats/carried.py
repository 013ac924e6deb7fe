"""Carried records: lines that travel as their bytes, beside the few columns that decide.

What JSON lines and CSV share: windows become batches, parcels are lines side by side behind
their preamble, and a parcel read back is cut into lines again. A format adds where its records
end and a ``Judge`` of them. A batch costs about twice its bytes in memory while it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.formats.columns import ARROW
from connectors.formats.lines import LF, Lines, Mask, Offsets, Segment
from connectors.formats.windows import Window
from repatria.batch import LINE, Batch, Reason, Refusals
from repatria.dataset import Column
from repatria.errors import BadObject
from repatria.limits import Limits
from repatria.slice import Slice

REASONS = tuple(Reason)
ACCEPTED = len(REASONS)

Codes = npt.NDArray[np.uint8]
"""For each record an index into ``REASONS``, or ``ACCEPTED``."""


def code(reason: Reason) -> int:
    """Return the number that stands for a reason in ``Codes``."""
    return REASONS.index(reason)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of each record, and the deciding columns of those accepted, in order."""

    codes: Codes
    columns: pa.Table = field(repr=False)


class Judge(Protocol):
    """Validates records completely and takes out what decides."""

    @property
    def blank(self) -> Mask:
        """A table octet → blank: a record of nothing but blanks and its terminator is none."""
        ...

    def judge(self, lines: Lines) -> Judged:
        """Judge records that are within their limit and not blank."""
        ...

    def longest_value(self, line: bytes) -> int:
        """Return the bytes of the longest value of one record, as they stand in it."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What the batches of one slice have in common."""

    piece: Slice
    columns: Sequence[Column]
    limits: Limits
    judge: Judge
    preamble: bytes = field(default=b"", repr=False)

    def batch(self, window: Window) -> Batch:
        """Judge the records of a window."""
        parts: list[_Part] = []
        refused = 0
        for segment in window.segments:
            parts.append(self._part(segment))
            refused += len(parts[-1].refused_as)
            self._check_refusals(refused, parts)
        return Batch(
            piece=self.piece,
            ordinal=window.ordinal,
            last=window.last,
            rows=pa.concat_tables([empty(self.columns), *(part.rows for part in parts)]),
            positions=_joined([part.positions for part in parts]),
            refused=Refusals(
                _joined([part.refused_at for part in parts]),
                tuple(REASONS[number] for part in parts for number in part.refused_as),
            ),
            preamble=self.preamble,
        )

    def _check_refusals(self, refused: int, parts: Sequence[_Part]) -> None:
        """Raise ``BadObject`` for an object that is evidently not of its format."""
        if refused > self.limits.batch_refusals:
            first = next(part for part in parts if len(part.refused_as))
            raise BadObject(
                "a batch has more malformed records than limits.batch_refusals",
                object=self.piece.label,
                first_at_byte=int(first.refused_at[0]),
                first_reason=REASONS[first.refused_as[0]],
                most=self.limits.batch_refusals,
            )

    def _part(self, segment: Segment) -> _Part:
        codes = np.full(len(segment), ACCEPTED, dtype=np.uint8)
        self._measure(segment, codes)
        starts = segment.starts
        within = codes == ACCEPTED
        lines = segment.lines.pick(within)
        solid = ~blank_records(lines, self.judge.blank)
        lines = lines.pick(solid)
        if not len(lines):
            return _Part.of(starts[~within], codes[~within], empty(self.columns))
        judged = self.judge.judge(lines)
        counted = ~within
        counted[within] = solid
        codes[np.flatnonzero(within)[solid]] = judged.codes
        carried = lines.pick(judged.codes == ACCEPTED).array()
        rows = judged.columns.add_column(0, LINE, carried)
        return _Part.of(starts[counted], codes[counted], rows)

    def _measure(self, segment: Segment, codes: Codes) -> None:
        """Refuse records that are too long, and those with too long a value in them."""
        lengths = np.diff(segment.lines.bounds)
        codes[lengths > self.limits.record_bytes] = code(Reason.TOO_LARGE)
        most = self.limits.cell_bytes
        for number in np.flatnonzero((lengths > most) & (codes == ACCEPTED)):
            if self.judge.longest_value(segment.lines.one(int(number))) > most:
                codes[number] = code(Reason.TOO_LARGE)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one segment adds to a batch."""

    rows: pa.Table
    positions: npt.NDArray[np.uint64]
    refused_at: npt.NDArray[np.uint64]
    refused_as: Codes

    @classmethod
    def of(cls, starts: Offsets, codes: Codes, rows: pa.Table) -> _Part:
        places = starts.astype(np.uint64)
        good = codes == ACCEPTED
        return cls(rows, places[good], places[~good], codes[~good])


def blank_records(lines: Lines, blank: Mask) -> Mask:
    """Say which records hold nothing but blanks. Costs little where no record begins blank."""
    if not len(lines) or not blank[lines.octets[lines.edges[:-1]]].any():
        return np.zeros(len(lines), dtype=np.bool_)
    start, stop = lines.content(blank)
    return cast("Mask", start == stop)


def empty(columns: Sequence[Column]) -> pa.Table:
    """Return the table of no record, in the types of every carried batch."""
    types = [(LINE, pa.large_binary()), *((column.name, ARROW[column.type]) for column in columns)]
    return pa.schema(types).empty_table()


def table_of(columns: Sequence[Column], arrays: Sequence[pa.Array[Any]]) -> pa.Table:
    """Return the deciding columns as a table of fields that may be null."""
    return pa.table(list(arrays), names=[column.name for column in columns])


def body(rows: pa.Table, preamble: bytes) -> list[pa.Buffer]:
    """Return a parcel's bytes in parts, without copying lines: preamble, then lines in order."""
    chunks = [chunk for chunk in rows.column(LINE).chunks if len(chunk)]
    parts = [pa.py_buffer(preamble)]
    for number, chunk in enumerate(chunks):
        final = number == len(chunks) - 1
        parts.append(pa.py_buffer(_terminated(Lines.of(chunk), final=final).text()))
    return parts


def _terminated(lines: Lines, *, final: bool) -> Lines:
    r"""End each line with ``\n``, save the last of a parcel, which may go without."""
    ended = lines.octets[lines.edges[1:] - 1] == LF
    if final:
        ended[-1] = True
    if ended.all():
        return lines
    missing = pa.array([b"\n", b""], pa.large_binary()).take(pa.array(ended.astype(np.int8)))
    glue = pa.scalar(b"", pa.large_binary())
    joined: Any = pc.binary_join_element_wise(lines.array(), missing, glue)  # type: ignore[call-overload]
    return Lines.of(joined)


def rows_of(segments: Iterable[Segment]) -> pa.Table:
    """Return all records as a table of ``__line`` alone."""
    arrays = [segment.lines.array() for segment in segments if len(segment)]
    return pa.table({LINE: pa.chunked_array(arrays, pa.large_binary())})


def _joined(parts: Sequence[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    return np.concatenate([np.empty(0, dtype=np.uint64), *parts])
