"""The compiled look at JSON lines: which are certainly right, and the values that decide.

It takes most lines at about a gigabyte a second and is never asked to refuse one: whatever it is
not certain of (a mistake, an escape in a name or in a value that decides, a number that is no
small integer) is left to ``json_judge``, whose verdict counts. So it can be absent.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.formats.lines import Lines, Mask
from repatria.dataset import Column, ColumnType
from repatria.native.library import NATIVE

_Kept = npt.NDArray[np.int64]
"""Shape (lines, columns, 2): where a text stands or what an integer is; its length or -1."""


class _Wanted(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("length", ctypes.c_int64), ("whole", ctypes.c_int32))


class _Order(ctypes.Structure):
    _fields_ = (
        ("columns", ctypes.c_void_p),
        ("count", ctypes.c_int32),
        ("nesting", ctypes.c_int32),
    )


class JsonScan:
    """Looks at lines for the deciding ``columns``; may be shared between threads."""

    def __init__(self, library: ctypes.CDLL, columns: Sequence[Column], nesting: int) -> None:
        self._look = library.repatria_json
        self._look.restype = ctypes.c_int64
        pointer = ctypes.c_void_p
        self._look.argtypes = [pointer, pointer, ctypes.c_int64, pointer, pointer, pointer]
        self._gather = library.repatria_texts
        self._gather.restype = ctypes.c_int64
        numbers = [ctypes.c_int64, ctypes.c_int64]
        self._gather.argtypes = [pointer, pointer, *numbers, pointer, pointer, pointer]
        self._columns = columns
        names = [column.name.encode("utf-8", "surrogatepass") for column in columns]
        self._wanted = (_Wanted * max(1, len(columns)))(
            *(
                _Wanted(name, len(name), column.type is ColumnType.INT64)
                for name, column in zip(names, columns, strict=True)
            )
        )
        self._order = _Order(ctypes.addressof(self._wanted), len(columns), nesting)

    def certain(self, lines: Lines) -> tuple[Mask, list[pa.Array[Any]]]:
        """Return which lines are certainly right, and their values by column, in order.

        Text comes as ``string``, a timestamp still as its text, an integer as ``int64``.
        """
        data = np.frombuffer(lines.data, dtype=np.uint8)
        bounds = np.ascontiguousarray(lines.bounds)
        accepted = np.zeros(len(lines), dtype=np.bool_)
        kept: _Kept = np.empty((len(lines), len(self._columns), 2), dtype=np.int64)
        taken = self._look(
            data.ctypes.data,
            bounds.ctypes.data,
            len(lines),
            ctypes.byref(self._order),
            accepted.ctypes.data,
            kept.ctypes.data,
        )
        found = kept[: max(0, taken)]
        return accepted, [self._values(data, found, at) for at in range(len(self._columns))]

    def _values(self, data: npt.NDArray[np.uint8], found: _Kept, at: int) -> pa.Array[Any]:
        if self._columns[at].type is ColumnType.INT64:
            absent = found[:, at, 1] < 0
            return pa.array(found[:, at, 0], pa.int64(), mask=absent)
        return self._texts(data, found, at)

    def _texts(self, data: npt.NDArray[np.uint8], found: _Kept, at: int) -> pa.Array[Any]:
        count = len(found)
        first = found.ctypes.data + at * found.strides[1]
        told = (data.ctypes.data, first, len(self._columns), count)
        offsets = np.zeros(count + 1, dtype=np.int32)
        present = np.zeros((count + 7) // 8, dtype=np.uint8)
        texts = np.empty(self._gather(*told, None, None, None) + 1, dtype=np.uint8)
        self._gather(*told, offsets.ctypes.data, present.ctypes.data, texts.ctypes.data)
        parts = (present, offsets, texts)
        buffers: list[pa.Buffer | None] = [pa.py_buffer(part.data) for part in parts]
        return pa.Array.from_buffers(pa.string(), count, buffers)


LIBRARY: Final = NATIVE
"""Whose look is used; None where only Python and Arrow look."""
