"""The text of a type, as digests see it: what a value means, not how Arrow lays it out.

Plain, large, view and dictionary layouts of one type have one text. Units, zones,
precisions, widths of fixed-size values and names of struct fields are part of the type; field
metadata and nullability are not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import pyarrow as pa
from pyarrow import types as kinds

from repatria.dataset import ColumnType
from repatria.errors import BadObject

Test = Callable[[pa.DataType], bool]

_TEXT: Final[tuple[Test, ...]] = (kinds.is_string, kinds.is_large_string, kinds.is_string_view)
_BYTES: Final[tuple[Test, ...]] = (kinds.is_binary, kinds.is_large_binary, kinds.is_binary_view)
_LISTS: Final[tuple[Test, ...]] = (kinds.is_list, kinds.is_large_list)
_PLAIN: Final[tuple[Test, ...]] = (
    kinds.is_null,
    kinds.is_boolean,
    kinds.is_integer,
    kinds.is_floating,
    kinds.is_date,
    kinds.is_time,
    kinds.is_timestamp,
    kinds.is_duration,
    kinds.is_interval,
    kinds.is_fixed_size_binary,
)


def is_text(kind: pa.DataType) -> bool:
    """Whether values are text, in any layout but a dictionary."""
    return any(test(kind) for test in _TEXT)


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values are bytes of any length, in any layout but a dictionary."""
    return any(test(kind) for test in _BYTES)


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists of any length."""
    return any(test(kind) for test in _LISTS)


def holds_declared(kind: pa.DataType, declared: ColumnType) -> bool:
    """Whether a column of this type holds values of a declared type, in whatever layout."""
    if isinstance(kind, pa.DictionaryType):
        return holds_declared(kind.value_type, declared)
    if declared is ColumnType.STRING:
        return is_text(kind)
    if declared is ColumnType.INT64:
        return kinds.is_int64(kind)
    return kind == pa.timestamp("us", "UTC")


def schema_text(schema: pa.Schema) -> str:
    """Return the text of a schema: names and types of its columns, in order."""
    return "columns" + _fields([schema.field(place) for place in range(len(schema))])


def type_text(kind: pa.DataType) -> str:
    """Return the text of one type.

    Raises ``BadObject`` for what Parquet cannot hold: unions, list views, run ends.
    """
    if is_text(kind):
        return "string"
    if is_bytes(kind):
        return "binary"
    if any(test(kind) for test in _PLAIN):
        return str(kind)
    if kinds.is_decimal(kind):
        decimal = cast("pa.Decimal128Type", kind)
        return f"decimal({decimal.precision},{decimal.scale})"
    return _layered(kind)


def _layered(kind: pa.DataType) -> str:
    if isinstance(kind, pa.BaseExtensionType):
        return f"extension{_name(kind.extension_name)}<{type_text(kind.storage_type)}>"
    if isinstance(kind, pa.DictionaryType):
        return type_text(kind.value_type)
    if isinstance(kind, pa.FixedSizeListType):
        return f"list[{kind.list_size}]<{type_text(kind.value_type)}>"
    if is_list(kind):
        return f"list<{type_text(cast('pa.ListType[Any]', kind).value_type)}>"
    if isinstance(kind, pa.MapType):
        return f"map<{type_text(kind.key_type)}><{type_text(kind.item_type)}>"
    if isinstance(kind, pa.StructType):
        return "struct" + _fields([kind.field(place) for place in range(kind.num_fields)])
    raise BadObject("a column has a type without a digest", type_id=kind.id)


def _fields(fields: list[pa.Field[Any]]) -> str:
    told = "".join(f"{_name(field.name)}<{type_text(field.type)}>" for field in fields)
    return f"[{len(fields)}]{told}"


def _name(name: str) -> str:
    return f"({len(name)}){name}"
