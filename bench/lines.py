"""Profiles as JSON lines, written from columns: the same rows as in Parquet.

JSON has no NaN (null stands for it), no bytes (hexadecimal) and no decimals of its own (a number
with two digits behind the point); times are RFC 3339.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.world.people import Texts, body, joined

Column: TypeAlias = "pa.Array[Any]"

_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)


def json_lines(rows: pa.Table) -> bytes:
    """Return ``rows`` as text, a line each."""
    parts: list[Texts | str] = []
    for index, field in enumerate(rows.schema):
        parts += [f'{"," if index else "{"}"{field.name}":', _text(rows.column(index))]
    return body(joined(*parts, "}\n"))


def _text(column: pa.ChunkedArray[Any]) -> Texts:
    values: Column = column.combine_chunks()
    for asks, writes in _WRITERS:
        if asks(values.type):
            return writes(values)
    return _or_null(pc.cast(values, pa.string()))


def _decoded(values: Any) -> Texts:  # noqa: ANN401 - the stubs know no dictionary arrays
    return _quoted(values.dictionary_decode())


def _time(values: Column) -> Texts:
    return _or_null(joined('"', pc.strftime(values, format="%Y-%m-%dT%H:%M:%SZ"), '"'))


def _float(values: Column) -> Texts:
    known: Column = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return _or_null(pc.cast(known, pa.string()))


def _quoted(texts: Texts) -> Texts:
    return _or_null(joined('"', texts, '"'))


def _or_null(texts: Texts) -> Texts:
    return cast("Texts", pc.fill_null(cast("Any", texts), "null"))


def _list(values: Any) -> Texts:  # noqa: ANN401 - the stubs know no list kernels
    inner = cast("Texts", pc.binary_join(values, '","'))
    empty = np.asarray(pc.list_value_length(values)) == 0
    texts: Texts = pc.if_else(pa.array(empty), pa.scalar("[]"), joined('["', inner, '"]'))
    return _or_null(texts)


def _struct(values: Any) -> Texts:  # noqa: ANN401 - the stubs know no fields
    parts: list[Texts | str] = []
    for index, name in enumerate(values.type.names):
        parts += [f'{"," if index else "{"}"{name}":', _quoted(values.field(name))]
    whole: Texts = pc.if_else(values.is_valid(), joined(*parts, "}"), pa.scalar(None, pa.string()))
    return _or_null(whole)


def _hexadecimal(values: Any) -> Texts:  # noqa: ANN401 - nor buffers
    width = values.type.byte_width
    raw = np.frombuffer(memoryview(values.buffers()[1]), np.uint8)
    raw = raw[values.offset * width : (values.offset + len(values)) * width]
    digits = _HEX[np.stack([raw >> 4, raw & 15], axis=1)].reshape(len(values), 2 * width)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * (2 * width)
    texts = pa.StringArray.from_buffers(
        len(values), pa.py_buffer(offsets.tobytes()), pa.py_buffer(digits.tobytes())
    )
    shown: Texts = pc.if_else(values.is_valid(), texts, pa.scalar(None, pa.string()))
    return _quoted(shown)


_WRITERS: Final[tuple[tuple[Callable[[pa.DataType], bool], Callable[[Any], Texts]], ...]] = (
    (pa.types.is_dictionary, _decoded),
    (pa.types.is_string, _quoted),
    (pa.types.is_timestamp, _time),
    (pa.types.is_list, _list),
    (pa.types.is_struct, _struct),
    (pa.types.is_fixed_size_binary, _hexadecimal),
    (pa.types.is_floating, _float),
)
"""How each sort of value is written; numbers and truth as they are."""
