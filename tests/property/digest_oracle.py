"""Record digests row by row, in plain Python, written from docs/formats/record-digest.md alone.

A value is None, a whole number (fixed width; floats by their bits, decimals unscaled), bytes (text
too), a list (lists; maps as lists of pairs), or a tuple (structs).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

ALL = (1 << 64) - 1
NAN = {"halffloat": 0x7E00, "float": 0x7FC00000, "double": 0x7FF8000000000000}
SIGN = {"halffloat": 1 << 15, "float": 1 << 31, "double": 1 << 63}
INFINITY = {"halffloat": 0x7C00, "float": 0x7F800000, "double": 0x7FF0000000000000}


def mixed(x: int) -> int:
    x &= ALL
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & ALL
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & ALL
    return x ^ x >> 33


class Lane:
    """One of the two lanes, 0 or 1."""

    def __init__(self, key: bytes, lane: int) -> None:
        self.key, self.lane = key, lane

    def constant(self, label: str) -> int:
        mac = hmac.new(self.key, b"repatria digest 0\x00" + label.encode(), hashlib.sha256)
        return int(struct.unpack("<QQ", mac.digest()[:16])[self.lane])

    def position(self, i: int) -> int:
        return mixed(self.constant("position") + (i + 1) * 0x9E3779B97F4A7C15)

    def run(self, words: Sequence[int]) -> int:
        return sum(mixed(word + self.position(i)) for i, word in enumerate(words)) & ALL

    def measured(self, words: Sequence[int], length: int) -> int:
        return mixed(self.run(words) + length * (self.constant("length") | 1))

    def absorbed(self, h: int, cell: int, i: int) -> int:
        h = (h + cell) & ALL
        h ^= h >> 32
        return h * (self.position(i) | 1) & ALL

    def cell(self, kind: pa.DataType, value: Any) -> int:
        if value is None or pa.types.is_null(kind):
            return self.constant("null")
        if isinstance(kind, pa.StructType):
            h = self.constant("struct")
            for i, item in enumerate(value):
                h = self.absorbed(h, self.cell(kind.field(i).type, item), i)
            return mixed(h)
        if isinstance(kind, pa.MapType):
            pair = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
            return self.measured([self.cell(pair, item) for item in value], len(value))
        if isinstance(kind, pa.ListType | pa.FixedSizeListType):
            return self.measured([self.cell(kind.value_type, item) for item in value], len(value))
        if isinstance(value, bytes):
            words = [int.from_bytes(value[at : at + 8], "little") for at in range(0, len(value), 8)]
            return self.measured(words, len(value))
        return self.run(fixed_words(kind, value))

    def record(self, seed: str, kinds: Sequence[pa.DataType], row: Sequence[Any]) -> int:
        h = self.constant(seed)
        for i, (kind, value) in enumerate(zip(kinds, row, strict=True)):
            h = self.absorbed(h, self.cell(kind, value), i)
        return mixed(h ^ self.constant("final"))


def fixed_words(kind: pa.DataType, value: int) -> list[int]:
    name = str(kind)
    if name in NAN:
        return [NAN[name] if value & ~SIGN[name] > INFINITY[name] else value]
    count = 1
    if pa.types.is_decimal(kind):
        count = 2 if kind.precision <= 38 else 4
    if pa.types.is_interval(kind):
        count = 2
    return [value >> 64 * i & ALL for i in range(count)]


def text_of(kind: pa.DataType) -> str:
    if isinstance(kind, pa.StructType):
        return "struct" + fields_of([(f.name, f.type) for f in kind])
    if isinstance(kind, pa.MapType):
        return f"map<{text_of(kind.key_type)}><{text_of(kind.item_type)}>"
    if isinstance(kind, pa.FixedSizeListType):
        return f"list[{kind.list_size}]<{text_of(kind.value_type)}>"
    if isinstance(kind, pa.ListType):
        return f"list<{text_of(kind.value_type)}>"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return str(kind)


def fields_of(fields: Sequence[tuple[str, pa.DataType]]) -> str:
    told = "".join(f"({len(name)}){name}<{text_of(kind)}>" for name, kind in fields)
    return f"[{len(fields)}]{told}"


def record(key: bytes, seed: str, kinds: Sequence[pa.DataType], row: Sequence[Any]) -> int:
    """Return the digest of one record as a 128-bit number."""
    high, low = (Lane(key, lane).record(seed, kinds, row) for lane in (0, 1))
    return high << 64 | low


def canonical(key: bytes, fields: Sequence[tuple[str, pa.DataType]], row: Sequence[Any]) -> int:
    """Return the canonical digest of one row."""
    return record(key, "columns" + fields_of(fields), [kind for _, kind in fields], row)
