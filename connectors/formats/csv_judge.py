"""CSV records judged in columns: well formed, as wide as the header, UTF-8, deciding types.

An empty field, quoted or not, is the empty string where a string is declared, and null where
another type is: CSV has no other way to say either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.formats.carried import ACCEPTED, Judged, code, table_of
from connectors.formats.columns import typed
from connectors.formats.fields import Fields, split
from connectors.formats.lines import Lines, Mask, blanks, utf8
from repatria.batch import Reason
from repatria.dataset import Column, ColumnType

_NULL = pa.scalar(None, pa.string())


def blank_octets(delimiter: int) -> Mask:
    """Return which octets make a blank line; a delimiter makes fields, not blanks."""
    table = blanks(b" \t\r\n")
    table[delimiter] = False
    return table


class CsvJudge:
    """Judges CSV records of the columns ``names``, all of the deciding ones among them."""

    def __init__(self, columns: Sequence[Column], names: Sequence[str], delimiter: int) -> None:
        self.blank = blank_octets(delimiter)
        self._columns = columns
        self._numbers = [names.index(column.name) for column in columns]
        self._width = len(names)
        self._delimiter = delimiter

    def judge(self, lines: Lines) -> Judged:
        fields = split(lines, self._delimiter)
        codes = np.full(len(lines), ACCEPTED, dtype=np.uint8)
        codes[fields.counts != self._width] = code(Reason.WRONG_COLUMNS)
        codes[~fields.formed] = code(Reason.MALFORMED)
        codes[~utf8(lines)] = code(Reason.ENCODING)
        good = codes == ACCEPTED
        values, wrong = self._values(fields, good)
        codes[np.flatnonzero(good)[wrong]] = code(Reason.WRONG_TYPE)
        table = table_of(self._columns, values)
        return Judged(codes, table.filter(pa.array(~wrong)) if wrong.any() else table)

    def longest_value(self, line: bytes) -> int:
        return split(Lines(line, np.array([0, len(line)])), self._delimiter).longest()

    def _values(self, fields: Fields, good: Mask) -> tuple[list[pa.Array[Any]], Mask]:
        """Return the deciding columns of the good records, and which of these fail their type."""
        wrong = np.zeros(int(good.sum()), dtype=np.bool_)
        arrays = []
        for column, number in zip(self._columns, self._numbers, strict=True):
            texts = fields.texts(good, number, self._width)
            if column.type is not ColumnType.STRING:
                texts = pc.if_else(pc.equal(texts, pa.scalar("")), _NULL, texts)
            values, failed = typed(texts, column.type)
            wrong |= failed
            arrays.append(values)
        return arrays, wrong
