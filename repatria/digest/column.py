"""Reads an Arrow array of any type as cells: two lanes per value, block by block.

A column is opened once (views of its buffers, nothing copied) and then read in blocks, nested
ones through their children. What stands under a null is never looked at: the null's constant
overwrites it, at every level. A dictionary is digested once, and rows look their value up.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from repatria.digest.fixed import FixedColumn
from repatria.digest.fold import fold
from repatria.digest.mixing import Counts, Lanes, absorb, mix
from repatria.digest.schedule import Schedule
from repatria.digest.signature import is_list
from repatria.digest.text import FixedBytesColumn, TextColumn, holds_text


class Column(Protocol):
    """An opened array."""

    def cells(self, start: int, stop: int) -> Lanes:
        """Return the cells of rows ``start`` up to ``stop``, shape (2, stop - start), owned."""
        ...


def open_column(values: pa.Array[Any], schedule: Schedule) -> Column:
    """Open an array whose type ``signature.type_text`` accepts."""
    if isinstance(values, pa.ExtensionArray):
        return open_column(values.storage, schedule)
    if pa.types.is_null(values.type):
        return _Nothing(schedule)
    column = _open(values, schedule)
    return column if values.null_count == 0 else _Masked(column, values, schedule)


def _open(values: pa.Array[Any], schedule: Schedule) -> Column:
    kind = values.type
    if isinstance(values, pa.DictionaryArray):
        return _Dictionary(values, schedule)
    if isinstance(values, pa.StructArray):
        return _Struct(values, schedule)
    if isinstance(values, pa.FixedSizeListArray):
        size = cast("pa.FixedSizeListType[Any, Any]", kind).list_size
        bounds = np.arange(values.offset, values.offset + len(values) + 1) * size
        return _List(bounds, open_column(values.values, schedule), schedule)
    if is_list(kind) or pa.types.is_map(kind):
        listed = cast("pa.ListArray[Any]", values)
        bounds = listed.offsets.to_numpy().astype(np.int64)
        return _List(bounds, open_column(listed.values, schedule), schedule)
    return _open_leaf(values, schedule)


def _open_leaf(values: pa.Array[Any], schedule: Schedule) -> Column:
    if holds_text(values.type):
        return TextColumn(values, schedule)
    if pa.types.is_fixed_size_binary(values.type):
        return FixedBytesColumn(values, schedule)
    return FixedColumn(values, schedule)


class _Nothing:
    """A column of nulls alone."""

    def __init__(self, schedule: Schedule) -> None:
        self._null = schedule.null

    def cells(self, start: int, stop: int) -> Lanes:
        return np.repeat(self._null, stop - start, axis=1)


class _Masked:
    """A column some of whose values are null."""

    def __init__(self, column: Column, values: pa.Array[Any], schedule: Schedule) -> None:
        self._column = column
        self._null = schedule.null
        self._absent = np.asarray(pc.is_null(values).to_numpy(zero_copy_only=False), dtype=np.bool_)

    def cells(self, start: int, stop: int) -> Lanes:
        cells = self._column.cells(start, stop)
        np.copyto(cells, self._null, where=self._absent[start:stop])
        return cells


class _Struct:
    """Fields in order, absorbed one after another."""

    def __init__(self, values: pa.StructArray, schedule: Schedule) -> None:
        self._schedule = schedule
        self._fields = [
            open_column(values.field(place), schedule) for place in range(values.type.num_fields)
        ]

    def cells(self, start: int, stop: int) -> Lanes:
        state = np.repeat(self._schedule.struct, stop - start, axis=1)
        for place, field in enumerate(self._fields):
            absorb(state, field.cells(start, stop), self._schedule.odd(place))
        return mix(state)


class _List:
    """Lists and maps: the cells of the children, each at its position."""

    def __init__(self, bounds: Counts, child: Column, schedule: Schedule) -> None:
        self._bounds, self._child, self._schedule = bounds, child, schedule

    def cells(self, start: int, stop: int) -> Lanes:
        bounds = self._bounds[start : stop + 1]
        counts = np.diff(bounds)
        return fold(_Children(bounds, self._child), counts, counts, self._schedule)


class _Children:
    def __init__(self, bounds: Counts, child: Column) -> None:
        self._bounds, self._child = bounds, child

    def rows(self, first: int, stop: int) -> Lanes:
        return self._child.cells(int(self._bounds[first]), int(self._bounds[stop]))

    def part(self, row: int, skip: int, count: int) -> Lanes:
        begin = int(self._bounds[row]) + skip
        return self._child.cells(begin, begin + count)


class _Dictionary:
    """Each distinct value that rows use is digested once. A value may itself be null."""

    def __init__(self, values: pa.DictionaryArray[Any, Any], schedule: Schedule) -> None:
        indices = values.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        dictionary = values.dictionary
        if len(dictionary) > len(indices):
            used, indices = np.unique(indices, return_inverse=True)
            dictionary = dictionary.take(pa.array(used, pa.int64()))
        self._places: Counts = indices
        self._cells = _all(open_column(dictionary, schedule), len(dictionary), schedule)

    def cells(self, start: int, stop: int) -> Lanes:
        return self._cells.take(self._places[start:stop], axis=1)


def every_cell(values: pa.Array[Any], schedule: Schedule) -> Lanes:
    """Return the cells of all values of an array, shape (2, values)."""
    return _all(open_column(values, schedule), len(values), schedule)


def _all(column: Column, count: int, schedule: Schedule) -> Lanes:
    """Return every cell of a dictionary, with one to spare where it is empty (all rows null)."""
    block = schedule.positions.shape[1]
    cells = [column.cells(at, min(at + block, count)) for at in range(0, count, block)]
    return np.concatenate(cells or [schedule.null], axis=1)
