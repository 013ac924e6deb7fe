"""What the heaviest row of lists comes to, learnt before a value of it is expanded.

A mean says nothing of one row: a list may hold every reference to a long dictionary value while
all other lists are empty. The columns are read with their values as indices into dictionaries,
which costs four bytes a value however long the values are, and the lengths that the indices
stand for are added up row by row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.formats.parquet_cut import Run
from connectors.formats.parquet_open import Opened

Sizes = npt.NDArray[np.int64]
_ROWS: Final = 8_192
"""Rows whose indices are held at once."""
_TEXTS: Final = {pa.string(), pa.binary(), pa.large_string(), pa.large_binary()}


def heaviest_row(opened: Opened, run: Run, paths: list[str]) -> int:
    """Return the bytes of the texts that the row with most of them has in these columns.

    ``paths`` are those of leaf columns of texts or octets, none with a page of differences.
    """
    file = opened.of_dictionaries(paths)
    return max((_heaviest(file, at, paths) for at in range(run.first, run.stop)), default=0)


def _heaviest(file: pq.ParquetFile, group: int, paths: list[str]) -> int:
    rows = file.iter_batches(batch_size=_ROWS, row_groups=[group], columns=paths, use_threads=False)
    found = 0
    for batch in rows:
        sizes = sum((text_bytes(column) for column in batch.columns), np.zeros(1, np.int64))
        found = max(found, int(sizes.max(initial=0)))
    return found


def text_bytes(array: Any) -> Sizes:  # noqa: ANN401 - an array of any type
    """Return how many bytes of text and octets each element comes to, lists and all."""
    if isinstance(array, pa.ExtensionArray):
        return text_bytes(array.storage)
    if isinstance(array, pa.DictionaryArray):
        values: Any = array.dictionary
        return _lengths(pc.binary_length(values).take(array.indices))
    if array.type.num_fields:
        return _nested(array)
    if array.type in _TEXTS:
        return _lengths(pc.binary_length(array))
    return np.zeros(len(array), np.int64)


def _nested(array: Any) -> Sizes:  # noqa: ANN401 - a struct, a list or a map
    if isinstance(array, pa.StructArray):
        children = (text_bytes(child) for child in array.flatten())
        return sum(children, np.zeros(len(array), np.int64))
    if isinstance(array, pa.FixedSizeListArray):
        size = array.type.list_size
        values = text_bytes(array.values.slice(array.offset * size, len(array) * size))
        sums: Sizes = values.reshape(len(array), size).sum(axis=1)
        return sums
    return _listed(array)


def _listed(array: Any) -> Sizes:  # noqa: ANN401 - a list or a map
    """Add up each list; the values between the first offset and the last one are looked at."""
    offsets = array.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    first, size = int(offsets[0]), int(offsets[-1] - offsets[0])
    if isinstance(array, pa.MapArray):
        values = text_bytes(array.keys.slice(first, size))
        values = values + text_bytes(array.items.slice(first, size))
    else:
        values = text_bytes(array.values.slice(first, size))
    sums = np.zeros(size + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    each: Sizes = np.diff(sums[offsets - first])
    return each


def _lengths(found: Any) -> Sizes:  # noqa: ANN401 - an array of numbers
    filled: Sizes = pc.fill_null(found, 0).to_numpy(zero_copy_only=False)
    return filled.astype(np.int64, copy=False)
