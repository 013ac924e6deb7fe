"""Cells of text and bytes: little-endian words of eight bytes, the last one filled with zeros."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from repatria.digest.fold import fold
from repatria.digest.mixing import Counts, Lanes
from repatria.digest.schedule import Schedule
from repatria.digest.signature import is_bytes, is_text

Octets = npt.NDArray[np.uint8]

_MASKS: Final = np.array([2**64 - 1, *(2 ** (8 * n) - 1 for n in range(1, 8))], dtype=np.uint64)
_LINE_FEED: Final = 10
_CARRIAGE_RETURN: Final = 13


class TextColumn:
    """Values of any length in one Arrow array."""

    def __init__(self, values: pa.Array[Any], schedule: Schedule) -> None:
        if pa.types.is_string_view(values.type) or pa.types.is_binary_view(values.type):
            values = cast("pa.Array[Any]", values.cast(pa.large_binary()))
        self._schedule = schedule
        self._data = octets(values.buffers()[2])
        self._bounds = offsets(values)

    def cells(self, start: int, stop: int) -> Lanes:
        bounds = self._bounds[start : stop + 1].astype(np.int64)
        return digest_bytes(self._data, bounds[:-1], np.diff(bounds), self._schedule)


class LineColumn(TextColumn):
    """Lines, each without its terminator: a line feed, or carriage return and line feed."""

    def cells(self, start: int, stop: int) -> Lanes:
        bounds = self._bounds[start : stop + 1].astype(np.int64)
        lengths = np.diff(bounds)
        for terminator in (_LINE_FEED, _CARRIAGE_RETURN):
            ends = bounds[:-1] + lengths - 1
            found = lengths > 0
            found[found] = self._data[ends[found]] == terminator
            if terminator == _CARRIAGE_RETURN:
                found &= lengths < np.diff(bounds)
            lengths = lengths - found
        return digest_bytes(self._data, bounds[:-1], lengths, self._schedule)


class FixedBytesColumn:
    """Values of one length each."""

    def __init__(self, values: pa.Array[Any], schedule: Schedule) -> None:
        self._schedule = schedule
        self._width = cast("pa.FixedSizeBinaryType", values.type).byte_width
        self._offset = values.offset
        self._data = octets(values.buffers()[1])

    def cells(self, start: int, stop: int) -> Lanes:
        starts = np.arange(self._offset + start, self._offset + stop) * self._width
        lengths = np.full(stop - start, self._width, dtype=np.int64)
        return digest_bytes(self._data, starts, lengths, self._schedule)


def digest_bytes(data: Octets, starts: Counts, lengths: Counts, schedule: Schedule) -> Lanes:
    """Return the cells of rows that stand in ``data``, in order and without overlap."""
    counts = (lengths + 7) >> 3
    return fold(_Words(data, starts, lengths, counts), counts, lengths, schedule)


class _Words:
    def __init__(self, data: Octets, starts: Counts, lengths: Counts, counts: Counts) -> None:
        self._data, self._starts, self._lengths, self._counts = data, starts, lengths, counts

    def rows(self, first: int, stop: int) -> Lanes:
        starts, lengths = self._starts[first:stop], self._lengths[first:stop]
        counts = self._counts[first:stop]
        low, high = int(starts[0]), int(starts[-1] + lengths[-1])
        stops = np.cumsum(counts)
        places = np.arange(stops[-1]) << 3
        places += np.repeat(starts - low - ((stops - counts) << 3), counts)
        words = _unaligned(self._data[low:high]).take(places)
        filled = counts > 0
        words[stops[filled] - 1] &= _MASKS[lengths[filled] & 7]
        return words.reshape(1, -1)

    def part(self, row: int, skip: int, count: int) -> Lanes:
        begin = int(self._starts[row]) + (skip << 3)
        end = min(begin + (count << 3), int(self._starts[row] + self._lengths[row]))
        padded = np.zeros(count << 3, dtype=np.uint8)
        padded[: end - begin] = self._data[begin:end]
        return padded.view("<u8").reshape(1, -1)


def _unaligned(data: Octets) -> npt.NDArray[np.uint64]:
    """View a copy of ``data`` as the word that begins at each byte."""
    padded = np.empty(len(data) + 8, dtype=np.uint8)
    padded[: len(data)] = data
    padded[len(data) :] = 0
    return np.ndarray((len(data) + 1,), dtype="<u8", buffer=padded, strides=(1,))


def octets(buffer: pa.Buffer | None) -> Octets:
    """View a buffer as bytes; an absent one is empty."""
    return np.frombuffer(memoryview(buffer) if buffer is not None else b"", dtype=np.uint8)


def items(buffer: pa.Buffer, item: np.dtype[Any]) -> npt.NDArray[Any]:
    """View a buffer as numbers; padding that is no whole number is left out."""
    data = octets(buffer)
    return data[: len(data) // item.itemsize * item.itemsize].view(item)


def offsets(values: pa.Array[Any]) -> npt.NDArray[Any]:
    """View the offsets of text or bytes: one more than there are values."""
    large = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
    buffer = values.buffers()[1]
    if buffer is None or buffer.size == 0:
        return np.zeros(len(values) + 1, dtype=np.int64)
    return items(buffer, np.dtype(np.int64 if large else np.int32))[
        values.offset : values.offset + len(values) + 1
    ]


def holds_text(kind: pa.DataType) -> bool:
    """Whether ``TextColumn`` reads this type."""
    return is_text(kind) or is_bytes(kind)
