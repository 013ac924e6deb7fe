"""Text of deciding columns in their declared types.

An integer is a minus sign or none, and digits. A timestamp is RFC 3339 with a zone and at most
six digits of a second: more would have to be cut off, and two versions could become one.
Costs one regular expression and one cast per column; a value at a time only where a cast fails.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.formats.lines import Mask
from repatria.dataset import ColumnType

ARROW: dict[ColumnType, pa.DataType] = {
    ColumnType.STRING: pa.string(),
    ColumnType.INT64: pa.int64(),
    ColumnType.TIMESTAMP: pa.timestamp("us", "UTC"),
}
"""The Arrow type of each declared type."""

_GRAMMAR = {
    ColumnType.INT64: r"^-?[0-9]+$",
    ColumnType.TIMESTAMP: (
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
        r"(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
    ),
}


def typed(texts: pa.Array[Any], declared: ColumnType) -> tuple[pa.Array[Any], Mask]:
    """Return the values, null where a text is null or wrong, and where it is wrong."""
    if declared is ColumnType.STRING:
        return texts, np.zeros(len(texts), dtype=np.bool_)
    if declared is ColumnType.TIMESTAMP:
        texts = pc.ascii_upper(texts)
    grammatical = pc.match_substring_regex(texts, _GRAMMAR[declared])
    values = _cast(pc.if_else(grammatical, texts, None), declared)
    wrong = pc.and_(pc.is_valid(texts), pc.is_null(values))
    return values, cast("Mask", wrong.to_numpy(zero_copy_only=False))


def _cast(texts: pa.Array[Any], declared: ColumnType) -> pa.Array[Any]:
    """Cast; null where a text of the right form has no value, such as the 30th of February."""
    try:
        return cast("pa.Array[Any]", pc.cast(texts, ARROW[declared]))
    except pa.ArrowInvalid:
        if len(texts) == 1:
            return pa.array([None], ARROW[declared])
    middle = len(texts) // 2
    halves = (_cast(texts[:middle], declared), _cast(texts[middle:], declared))
    return pa.concat_arrays(halves)
