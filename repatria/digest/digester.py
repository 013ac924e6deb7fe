"""Digests of whole records, of lines, and of the columns that name a record or a user.

What a digest says: these values, of these types, under these names. What it hides: everything
else, for without the key it can be neither computed nor tested against a guess. Its
construction is version 0 and will be replaced; nothing may depend on more than equality under
one key. Costs about 0.1 µs a row of 16 columns with the compiled kernel and 1 µs without, and
memory for one block beside 32 bytes a row.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from repatria.dataset import ColumnType
from repatria.digest.column import Column, open_column
from repatria.digest.digests import Digests, Kind, Pairs
from repatria.digest.kernel import KERNEL, Kernel, Plan
from repatria.digest.mixing import Lanes, absorb, mix
from repatria.digest.schedule import Schedule
from repatria.digest.signature import holds_declared, schema_text
from repatria.digest.text import LineColumn, holds_text
from repatria.errors import BadObject

_BLOCK: Final = 1 << 13
"""Rows digested at once: both lanes of a block and its temporaries stay in the cache."""

Opens: TypeAlias = "Callable[[pa.Array[Any], Schedule], Column]"


class Digester:
    """Digests under one key, of 16 bytes or more. May be shared between threads."""

    def __init__(self, key: bytes, kernel: Kernel | None = KERNEL) -> None:
        self._schedule = Schedule(key)
        self._kernel = kernel
        self._check = hmac.new(key, b"repatria digest 0\x00check", hashlib.sha256).hexdigest()[:32]

    @property
    def check(self) -> str:
        """32 hexadecimal digits that tell whether two digesters have one key, and nothing of it."""
        return self._check

    def records(self, table: pa.Table) -> Digests:
        """Return the canonical digest of each row: names, types and values of all its columns.

        Order of columns counts; chunks, dictionaries and 32- or 64-bit offsets do not. Raises
        ``BadObject`` for a type without a digest.
        """
        seed = self._schedule.constant(schema_text(table.schema))
        return Digests(Kind.CANONICAL, self._rows(seed, table, Plan.of(table.schema), open_column))

    def lines(self, lines: pa.ChunkedArray[Any] | pa.Array[Any]) -> Digests:
        """Return the carried digest of each line: its bytes without LF or CR LF at its end.

        Raises ``BadObject`` if a line is null or not bytes.
        """
        if not holds_text(lines.type) or lines.null_count:
            raise BadObject("lines are bytes, and each is there", nulls=lines.null_count)
        seed = self._schedule.constant("line")
        plan = Plan.of_lines(lines.type)
        return Digests(Kind.CARRIED, self._rows(seed, _table([lines]), plan, LineColumn))

    def values(
        self,
        columns: Sequence[pa.ChunkedArray[Any] | pa.Array[Any]],
        types: Sequence[ColumnType],
    ) -> Digests:
        """Return a digest of the values of declared columns: equal wherever the values are.

        Columns come in their declared types (any layout of text); names do not count. A
        null has a digest too: whoever must not take it for a value asks for nulls first.
        """
        assert len(columns) == len(types) > 0, "each column has a declared type"
        for column, declared in zip(columns, types, strict=True):
            if not holds_declared(column.type, declared):
                raise BadObject(
                    "a column that decides does not have its declared type", declared=declared.value
                )
        seed = self._schedule.constant("values " + " ".join(kind.value for kind in types))
        table = _table(columns)
        return Digests(Kind.VALUES, self._rows(seed, table, Plan.of(table.schema), open_column))

    def _rows(self, seed: Lanes, table: pa.Table, plan: Plan | None, opens: Opens) -> Pairs:
        pairs = None
        if self._kernel is not None and plan is not None and table.num_columns:
            pairs = self._kernel.rows(self._schedule, seed, table, plan)
        if pairs is None:
            pairs = _finished(self._state(seed, table, opens), self._schedule)
        pairs.setflags(write=False)
        return pairs

    def _state(self, seed: Lanes, table: pa.Table, opens: Opens) -> Lanes:
        """Absorb column after column by NumPy: the reference, and the way without a kernel."""
        state = np.repeat(seed, table.num_rows, axis=1)
        for place in range(table.num_columns):
            odd = self._schedule.odd(place)
            first = 0
            for chunk in table.column(place).chunks:
                column = opens(chunk, self._schedule)
                for start in range(0, len(chunk), _BLOCK):
                    stop = min(start + _BLOCK, len(chunk))
                    absorb(state[:, first + start : first + stop], column.cells(start, stop), odd)
                first += len(chunk)
        return state


def _finished(state: Lanes, schedule: Schedule) -> Pairs:
    pairs = np.empty((state.shape[1], 2), dtype=np.uint64)
    for start in range(0, len(pairs), _BLOCK):
        block = state[:, start : start + _BLOCK] ^ schedule.final
        pairs[start : start + _BLOCK] = mix(block).T
    return pairs


def _table(columns: Sequence[pa.ChunkedArray[Any] | pa.Array[Any]]) -> pa.Table:
    return pa.table(list(columns), names=[str(place) for place in range(len(columns))])
