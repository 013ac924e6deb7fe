"""JSON lines: each line an object, carried as it is, validated completely.

The compiled look (``json_scan``), where there is one, takes the lines that are certainly right: 0.1
µs per line of 100 bytes. Of all others, pyarrow's parser reads every field of a MiB of lines at
once, 0.5 µs per line of 100 bytes. What it would let pass is asked beforehand, in columns: is it
UTF-8, is each line one object and no more, is NaN among the numbers, is anything nested so deep
that the parser's own stack is at risk? Lines that raise such a doubt, and those in a run that
the parser refuses (halved until it is short), are judged by ``strict_json`` one by one. A name
given twice in one object makes a record ambiguous: readers differ in which they believe. That is
asked of each line in turn, which costs four times the parser; the compiled look does it on its way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ctypes import CDLL
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.json

from connectors.formats.carried import ACCEPTED, Codes, Judged, code, table_of
from connectors.formats.columns import typed
from connectors.formats.json_scan import LIBRARY, JsonScan
from connectors.formats.lines import Lines, Mask, Offsets, blanks, utf8
from connectors.formats.strict_json import (
    NESTING_MAX,
    Values,
    depth,
    judged,
    longest_text,
    may_repeat,
)
from repatria.batch import Reason
from repatria.dataset import Column, ColumnType

WHITE = blanks(b" \t\r\n")

_RUN_LINES_MIN = 16
_NOT_A_NUMBER = re.compile(rb"[:,\[\s-](?:NaN|Inf)")
_OPENS_OBJECT, _SHUTS_OBJECT = 0x7B, 0x7D
_CASE_BIT = 0x20  # ``[`` and ``{`` differ in this bit alone.


class JsonJudge:
    """Judges lines as JSON objects (RFC 8259) with deciding columns of declared types."""

    blank = WHITE

    def __init__(
        self, columns: Sequence[Column], nesting: int, library: CDLL | None = LIBRARY
    ) -> None:
        self._columns = columns
        self._nesting = min(nesting, NESTING_MAX)
        self._scan = JsonScan(library, columns, self._nesting) if library is not None else None
        whole = {ColumnType.INT64: pa.int64()}
        self._raw = pa.schema(
            [(column.name, whole.get(column.type, pa.string())) for column in columns]
        )

    def judge(self, lines: Lines) -> Judged:
        codes = np.full(len(lines), ACCEPTED, dtype=np.uint8)
        numbers = np.arange(len(lines))
        taken: list[tuple[Offsets, pa.Table]] = []
        if self._scan is not None:
            certain, values = self._scan.certain(lines)
            taken = [(numbers[certain], pa.table(values, schema=self._raw))]
            lines, numbers = lines.pick(~certain), numbers[~certain]
        if len(lines):
            taken += self._examined(lines, numbers, codes)
        return self._typed(_in_order(taken, self._raw), codes)

    def _examined(
        self, lines: Lines, numbers: Offsets, codes: Codes
    ) -> Iterator[tuple[Offsets, pa.Table]]:
        """Judge lines without the compiled look. ``numbers`` says where in ``codes`` they stand."""
        doubted = self._doubted(lines)
        yield from self._strictly(lines, np.flatnonzero(doubted), codes, numbers)
        yield from self._quickly(lines.pick(~doubted), numbers[~doubted], codes)

    def longest_value(self, line: bytes) -> int:
        return longest_text(line)

    def _typed(self, raw: pa.Table, codes: Codes) -> Judged:
        """Turn texts into declared types, and refuse the lines where that fails."""
        wrong = np.zeros(raw.num_rows, dtype=np.bool_)
        arrays = []
        for column in self._columns:
            values = raw.column(column.name).combine_chunks()
            if column.type is ColumnType.TIMESTAMP:
                values, failed = typed(values, column.type)
                wrong |= failed
            arrays.append(values)
        table = table_of(self._columns, arrays)
        if not wrong.any():
            return Judged(codes, table)
        codes[np.flatnonzero(codes == ACCEPTED)[wrong]] = code(Reason.WRONG_TYPE)
        return Judged(codes, table.filter(pa.array(~wrong)))

    def _doubted(self, lines: Lines) -> Mask:
        """Say which lines the parser may not see, because it would take them or fall over."""
        doubted = ~_bracketed(lines)
        text = bytes(lines.text())
        doubted[_line_of(lines, _suspicious(lines, text))] = True
        for number in _brackets_over(lines, self._nesting):
            doubted[number] |= depth(lines.one(int(number))) > self._nesting
        for place in np.flatnonzero(~doubted):
            doubted[place] = may_repeat(lines.one(int(place)))
        return doubted | ~utf8(lines)

    def _quickly(
        self, lines: Lines, numbers: Offsets, codes: Codes
    ) -> Iterator[tuple[Offsets, pa.Table]]:
        """Parse a run of lines at once; halve it where the parser refuses it."""
        if not len(lines):
            return
        table = self._parsed(lines)
        if table is not None:
            yield numbers, table
        elif len(lines) <= _RUN_LINES_MIN:
            strictly = np.arange(len(lines))
            yield from self._strictly(lines, strictly, codes, numbers)
        else:
            middle = len(lines) // 2
            yield from self._quickly(lines[:middle], numbers[:middle], codes)
            yield from self._quickly(lines[middle:], numbers[middle:], codes)

    def _parsed(self, lines: Lines) -> pa.Table | None:
        text = pa.py_buffer(lines.text())
        read = pyarrow.json.ReadOptions(use_threads=False, block_size=text.size + 1)
        parse = pyarrow.json.ParseOptions(
            explicit_schema=self._raw, unexpected_field_behavior="ignore"
        )
        try:
            table = pyarrow.json.read_json(
                cast("IO[Any]", pa.BufferReader(text)), read_options=read, parse_options=parse
            )
        except pa.ArrowInvalid:
            return None
        return table if table.num_rows == len(lines) else None

    def _strictly(
        self, lines: Lines, places: Offsets, codes: Codes, numbers: Offsets
    ) -> Iterator[tuple[Offsets, pa.Table]]:
        """Judge the lines at ``places`` one by one."""
        taken: list[int] = []
        rows: list[Values] = []
        for place in places:
            found = judged(lines.one(int(place)), self._columns, self._nesting)
            if isinstance(found, Reason):
                codes[numbers[place]] = code(found)
            else:
                taken.append(int(numbers[place]))
                rows.append(found)
        if rows:
            arrays = map(pa.array, zip(*rows, strict=True), self._raw.types)
            yield np.array(taken, dtype=np.int64), pa.table(list(arrays), schema=self._raw)


def _in_order(taken: Sequence[tuple[Offsets, pa.Table]], schema: pa.Schema) -> pa.Table:
    """Bring rows that were taken here and there back into the order of their lines."""
    table = pa.concat_tables([schema.empty_table(), *(rows for _, rows in taken)])
    if len(taken) < 2:
        return table
    return table.take(np.argsort(np.concatenate([numbers for numbers, _ in taken])))


def _bracketed(lines: Lines) -> Mask:
    """Say which lines begin with ``{`` and end with ``}``, white space aside."""
    octets, edges = lines.octets, lines.edges
    start, stop = edges[:-1], edges[1:] - 1
    right = (octets[start] == _OPENS_OBJECT) & (octets[stop - 1] == _SHUTS_OBJECT)
    if not right.all() or octets[-1] not in b"}\n":
        start, stop = lines.content(WHITE)
        right = (octets[start] == _OPENS_OBJECT) & (octets[stop - 1] == _SHUTS_OBJECT)
    return cast("Mask", right)


def _brackets_over(lines: Lines, nesting: int) -> Offsets:
    """Return the lines with more opening brackets than ``nesting``, strings not regarded."""
    opening = np.flatnonzero((lines.octets | _CASE_BIT) == _OPENS_OBJECT)
    if len(opening) - len(lines) < nesting:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.diff(np.searchsorted(opening, lines.edges)) > nesting)


def _suspicious(lines: Lines, text: bytes) -> Offsets:
    """Return where a NUL stands, which ends the parser's text, or what may be NaN or infinity."""
    octets = lines.octets
    places = [np.flatnonzero(octets == 0)] if b"\0" in text else []
    if any(_adjacent(octets, pair) for pair in (b"Na", b"In")):
        places.append(np.array([hit.end() for hit in _NOT_A_NUMBER.finditer(text)], dtype=np.int64))
    return np.concatenate([np.empty(0, dtype=np.int64), *places])


def _adjacent(octets: npt.NDArray[np.uint8], pair: bytes) -> bool:
    """Say whether a pair of octets occurs: a quicker first question than looking for a word."""
    return bool(((octets[:-1] == pair[0]) & (octets[1:] == pair[1])).any())


def _line_of(lines: Lines, places: Offsets) -> Offsets:
    return np.searchsorted(lines.edges, places, side="right") - 1
