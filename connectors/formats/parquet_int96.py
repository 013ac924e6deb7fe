"""Timestamps of 96 bits: what Spark, Hive and Impala wrote for years.

They hold nanoseconds of a day and a day number, so they reach far beyond what 64 bits of
nanoseconds can; the Parquet library then wraps around without a word (the year 9999 becomes
1816). So both readings are taken, as nanoseconds and as microseconds, and compared in arithmetic
modulo 2^64: ``ns - 1000 * us`` is the rest below a microsecond, wrapped or not. If all of a batch
fits nanoseconds, those are the values; else microseconds, if no rest is lost; else the object is
refused. What lies outside the years 1 to 9999, all that those systems know, is an overflow of
the writer itself: it arrives as the library reads it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from repatria.errors import BadObject

YEAR_1_US: Final = -62_135_596_800 * 10**6
YEAR_10000_US: Final = 253_402_300_800 * 10**6


def settle(rows: pa.Table, coarse: pa.Table, label: str) -> pa.Table:
    """Return ``rows`` with each column of ``coarse`` that overflowed taken from there instead.

    Raises ``BadObject`` if a column needs nanoseconds and overflows them as well.
    """
    for name in coarse.schema.names:
        index = rows.schema.get_field_index(name)
        if index < 0 or rows.num_rows != coarse.num_rows:
            raise BadObject("a column of 96-bit timestamps cannot be told apart", object=label)
        overflows, loses = _compare(rows.column(index), coarse.column(name))
        if overflows and loses:
            raise BadObject(
                "a timestamp fits neither nanoseconds nor microseconds", object=label, column=name
            )
        if overflows:
            was = rows.schema.field(index)
            field = pa.field(name, coarse.column(name).type, was.nullable, was.metadata)
            rows = rows.set_column(index, field, coarse.column(name))
    return rows


def _compare(fine: pa.ChunkedArray[Any], coarse: pa.ChunkedArray[Any]) -> tuple[bool, bool]:
    overflows = loses = False
    one, other = fine.combine_chunks(), coarse.combine_chunks()
    for nanos, micros in zip(_leaves(one), _leaves(other), strict=True):
        if nanos.type == micros.type:
            continue
        ns, us = _int64(nanos), _int64(micros)
        rest = ns.view(np.uint64) - us.view(np.uint64) * np.uint64(1000)
        overflows |= bool((ns // 1000 != us).any())
        known = (us >= YEAR_1_US) & (us < YEAR_10000_US)
        loses |= bool((known & (rest != 0)).any())
    return overflows, loses


def _int64(array: pa.Array[Any]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(array.drop_null().view(pa.int64()))


def _leaves(array: pa.Array[Any]) -> list[pa.Array[Any]]:
    if isinstance(array, pa.StructArray):
        return [leaf for child in array.flatten() for leaf in _leaves(child)]
    if isinstance(array, pa.MapArray):
        return _leaves(array.keys) + _leaves(array.items)
    if isinstance(array, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        return _leaves(array.flatten())
    return [array]
