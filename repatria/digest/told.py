"""A column's type as the nodes that the compiled kernel walks (repatria/native/digest.c).

One node per level, in preorder: what a value is, how wide, and how many nodes stand below it. Types
that the kernel leaves to NumPy have none: views inside of others, and nesting beyond any sense.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple, cast

import pyarrow as pa
from pyarrow import types as kinds

from repatria.digest.signature import is_list

DEPTH_MAX: Final = 16
"""The kernel keeps a block of rows on its stack for each level."""
_SHORT_DIGITS: Final = 38


class Op(IntEnum):
    """What a node is; the numbers are those of ``enum op`` in the kernel."""

    NOTHING = 0
    BIT = 1
    NUMBER = 2
    FLOAT = 3
    WORDS = 4
    TEXT = 5
    BYTES = 6
    LIST = 7
    FIXED_LIST = 8
    STRUCT = 9
    DICTIONARY = 10
    LINE = 11
    GIVEN = 12


class Node(NamedTuple):
    """One level of a column; see ``node`` in the kernel for the meaning of the numbers."""

    op: Op
    width: int = 0
    extra: int = 0
    children: int = 0
    size: int = 1


def nodes_of(kind: pa.DataType, depth: int = 0) -> list[Node] | None:
    """Return the nodes of a type that has a digest, or None where NumPy must do it."""
    if depth > DEPTH_MAX:
        return None
    if isinstance(kind, pa.BaseExtensionType):
        return nodes_of(kind.storage_type, depth)
    if (leaf := _leaf(kind)) is not None:
        return [leaf]
    below: list[Node] = []
    for child in _children(kind):
        nodes = nodes_of(child, depth + 1)
        if nodes is None:
            return None
        below += nodes
    parent = _parent(kind)
    return [parent._replace(size=1 + len(below)), *below] if parent is not None else None


def _leaf(kind: pa.DataType) -> Node | None:
    if kinds.is_null(kind):
        return Node(Op.NOTHING)
    if kinds.is_boolean(kind):
        return Node(Op.BIT)
    if kinds.is_decimal(kind):
        decimal = cast("pa.Decimal128Type", kind)
        words = 2 if decimal.precision <= _SHORT_DIGITS else 4
        return Node(Op.WORDS, kind.bit_width // 8, words)
    if kinds.is_interval(kind):
        return Node(Op.WORDS, 16, 2)
    return _number(kind) if kinds.is_primitive(kind) else _text(kind)


def _number(kind: pa.DataType) -> Node:
    if kinds.is_floating(kind):
        return Node(Op.FLOAT, kind.bit_width // 8)
    return Node(Op.NUMBER, kind.bit_width // 8, int(not kinds.is_unsigned_integer(kind)))


def _text(kind: pa.DataType) -> Node | None:
    if kinds.is_string(kind) or kinds.is_binary(kind):
        return Node(Op.TEXT, 4)
    if kinds.is_large_string(kind) or kinds.is_large_binary(kind):
        return Node(Op.TEXT, 8)
    if kinds.is_fixed_size_binary(kind):
        return Node(Op.BYTES, kind.byte_width)
    return None


def _children(kind: pa.DataType) -> list[pa.DataType]:
    if isinstance(kind, pa.DictionaryType):
        return [kind.value_type]
    if isinstance(kind, pa.MapType):
        return [pa.struct([kind.key_field, kind.item_field])]
    return [kind.field(place).type for place in range(kind.num_fields)]


def _parent(kind: pa.DataType) -> Node | None:
    if isinstance(kind, pa.DictionaryType):
        index = kind.index_type
        signed = int(kinds.is_signed_integer(index))
        return Node(Op.DICTIONARY, index.bit_width // 8, signed, 1)
    if isinstance(kind, pa.FixedSizeListType):
        return Node(Op.FIXED_LIST, kind.list_size, 0, 1)
    if is_list(kind) or kinds.is_map(kind):
        return Node(Op.LIST, 8 if kinds.is_large_list(kind) else 4, 0, 1)
    if kinds.is_struct(kind):
        return Node(Op.STRUCT, 0, 0, kind.num_fields)
    return None
