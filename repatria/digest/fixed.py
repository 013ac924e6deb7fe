"""Cells of values of fixed width: Σ mix(word[i] + position_key[i]) over their 1, 2 or 4 words.

Integers and times are extended to 64 bits with their sign. Every NaN is one NaN, and minus zero
is not zero. A decimal of up to 38 digits has two words and a longer one four, in whatever
width it is stored.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types as kinds

from repatria.digest.mixing import Lanes, mix
from repatria.digest.schedule import Schedule
from repatria.digest.text import items

_SHORT_DIGITS: Final = 38
_FLOATS: Final = {  # Bits: (everything but the sign, infinity, the one NaN).
    16: (0x7FFF, 0x7C00, 0x7E00),
    32: (0x7FFF_FFFF, 0x7F80_0000, 0x7FC0_0000),
    64: (0x7FFF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000, 0x7FF8_0000_0000_0000),
}


class FixedColumn:
    """Values of fixed width in one Arrow array."""

    def __init__(self, values: pa.Array[Any], schedule: Schedule) -> None:
        self._keys = schedule.positions
        self._kind = values.type
        if kinds.is_boolean(values.type):
            values = cast("pa.Array[Any]", values.cast(pa.uint8()))
        self._values = _view(values)

    def cells(self, start: int, stop: int) -> Lanes:
        block = self._values[start:stop]
        if kinds.is_floating(self._kind):
            words = [_one_nan(block)]
        elif kinds.is_decimal(self._kind):
            words = _decimal_words(block, cast("pa.Decimal128Type", self._kind).precision)
        elif block.ndim > 1:
            words = [block[:, place] for place in range(block.shape[1])]
        else:
            words = [block]
        return self._sum([word.astype(np.int64).view(np.uint64) for word in words])

    def _sum(self, words: list[npt.NDArray[np.uint64]]) -> Lanes:
        total = mix(words[0] + self._keys[:, :1])
        for place, word in enumerate(words[1:], start=1):
            total += mix(word + self._keys[:, place : place + 1])
        return total


def _view(values: pa.Array[Any]) -> npt.NDArray[Any]:
    """View an array's values as integers of their width; wider ones as columns of 64 bits."""
    kind = values.type
    bits = kind.bit_width
    signed = not (kinds.is_unsigned_integer(kind) or kinds.is_floating(kind))
    columns = max(1, bits // 64)
    item = np.dtype(f"<{'i' if signed else 'u'}{min(bits, 64) // 8}")
    buffer = values.buffers()[1]
    if buffer is None:
        flat = np.zeros((values.offset + len(values)) * columns, dtype=item)
    else:
        flat = items(buffer, item)
    flat = flat[values.offset * columns : (values.offset + len(values)) * columns]
    return flat.reshape(-1, columns) if columns > 1 else flat


def _one_nan(bits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    magnitude, infinity, nan = (bits.dtype.type(value) for value in _FLOATS[bits.itemsize * 8])
    return np.where((bits & magnitude) > infinity, nan, bits)


def _decimal_words(block: npt.NDArray[Any], precision: int) -> list[npt.NDArray[Any]]:
    if block.ndim == 1:
        return [block, block >> (block.itemsize * 8 - 1)]
    wanted = 2 if precision <= _SHORT_DIGITS else 4
    return [block[:, place] for place in range(wanted)]
