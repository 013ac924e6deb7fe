"""Arrow arrays with given values in every layout that Arrow allows for them.

Slices with offsets, 32- and 64-bit offsets, views, dictionaries (with nulls inside), wider
decimals, and junk under every null: what means the same must be digested the same.
Values are written as in ``digest_oracle``.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

LEAVES = [
    pa.null(), pa.bool_(),
    pa.int8(), pa.int16(), pa.int32(), pa.int64(),
    pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
    pa.float16(), pa.float32(), pa.float64(),
    pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
    pa.timestamp("s"), pa.timestamp("ms", "UTC"), pa.timestamp("us"), pa.timestamp("us", "UTC"),
    pa.timestamp("ns", "Europe/Dublin"), pa.duration("us"), pa.month_day_nano_interval(),
    pa.decimal128(5, 2), pa.decimal128(38, 0), pa.decimal256(60, 3),
    pa.string(), pa.binary(), pa.binary(5), pa.binary(16),
]  # fmt: skip


def kinds(depth: int = 3) -> st.SearchStrategy[pa.DataType]:
    return st.recursive(st.sampled_from(LEAVES), _nested, max_leaves=depth)


def _nested(child: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    solid = st.sampled_from([pa.string(), pa.int64(), pa.binary(5)])
    names = st.text(max_size=2)
    return st.one_of(
        child.map(pa.list_),
        st.builds(pa.list_, child, st.integers(0, 3)),
        st.builds(pa.map_, solid, child),
        st.lists(st.tuples(names, child), max_size=3, unique_by=lambda f: f[0]).map(pa.struct),
    )


def one_value(kind: pa.DataType, rng: Random, nulls: float = 0.2) -> Any:
    """Return a value of the kind; short and boundary values are likely."""
    if pa.types.is_null(kind) or rng.random() < nulls:
        return None
    if isinstance(kind, pa.StructType):
        return tuple(one_value(field.type, rng, nulls) for field in kind)
    if isinstance(kind, pa.MapType):
        return [
            (one_value(kind.key_type, rng, 0.0), one_value(kind.item_type, rng, nulls))
            for _ in range(rng.randrange(4))
        ]
    if isinstance(kind, pa.FixedSizeListType):
        return [one_value(kind.value_type, rng, nulls) for _ in range(kind.list_size)]
    if isinstance(kind, pa.ListType):
        count = rng.randrange(4)
        return [one_value(kind.value_type, rng, nulls) for _ in range(count)]
    return _leaf(kind, rng)


def _leaf(kind: Any, rng: Random) -> Any:
    if pa.types.is_fixed_size_binary(kind):
        return rng.randbytes(kind.byte_width)
    if pa.types.is_binary(kind):
        return rng.choice([b"", b"\x00", b"\x00" * 8, rng.randbytes(rng.randrange(30))])
    if pa.types.is_string(kind):
        return "".join(rng.choices("a€\x00z😀", k=rng.randrange(12))).encode()
    return _number(kind, rng)


def _number(kind: Any, rng: Random) -> Any:
    if pa.types.is_boolean(kind):
        return rng.randrange(2)
    if pa.types.is_decimal(kind):
        top = 10**kind.precision - 1
        return rng.choice([0, 1, -1, top, -top, rng.randint(-top, top)])
    bits = kind.bit_width
    if pa.types.is_unsigned_integer(kind) or pa.types.is_interval(kind):
        return rng.choice([0, 1, (1 << bits) - 1, rng.getrandbits(bits)])
    if pa.types.is_floating(kind):
        sign = 1 << bits - 1
        nan = (1 << bits) - 1
        return rng.choice([0, sign, nan, nan & ~sign, nan ^ 1, rng.getrandbits(bits)])
    return rng.choice([0, 1, -1, -(1 << bits - 1), rng.getrandbits(bits - 1)])


def array_of(kind: pa.DataType, values: list[Any], rng: Random) -> pa.Array[Any]:
    """Return an array that holds the values, in a layout chosen by ``rng``."""
    before, after = rng.randrange(3), rng.randrange(3)
    junk = [one_value(kind, rng) for _ in range(before + after)]
    array = _array(kind, [*junk[:before], *values, *junk[before:]], rng)
    sliced = array.slice(before, len(values))
    if rng.random() < 0.3 and (pa.types.is_string(kind) or pa.types.is_integer(kind)):
        return _dictionary(sliced, rng)
    if pa.types.is_string(kind) and rng.random() < 0.3:
        return sliced.cast(pa.string_view())
    return sliced


def _dictionary(array: pa.Array[Any], rng: Random) -> pa.Array[Any]:
    """Encode with unused values and a null inside the dictionary."""
    encoded = array.dictionary_encode()
    spare = pa.array([None] * rng.randrange(1, 9), encoded.dictionary.type)
    dictionary = pa.concat_arrays([encoded.dictionary, spare])
    where = len(encoded.dictionary) if rng.random() < 0.5 else None
    indices = [where if place is None else place for place in encoded.indices.to_pylist()]
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), dictionary)


def _array(kind: pa.DataType, values: list[Any], rng: Random) -> pa.Array[Any]:
    if pa.types.is_null(kind):
        return pa.nulls(len(values))
    absent = [value is None for value in values]
    filled = [one_value(kind, rng, 0.0) if value is None else value for value in values]
    if isinstance(kind, pa.StructType):
        children = [
            array_of(field.type, [value[place] for value in filled], rng)
            for place, field in enumerate(kind)
        ]
        fields = [pa.field(f.name, c.type) for f, c in zip(kind, children, strict=True)]
        if not fields:
            return pa.array([None if gone else {} for gone in absent], kind)
        return pa.StructArray.from_arrays(
            children, fields=fields, mask=pa.array(absent, pa.bool_())
        )
    make = _list if pa.types.is_nested(kind) else _fixed
    if kind in (pa.string(), pa.binary()):
        make = _text
    made: pa.Array[Any] = make(kind, filled, absent, rng)
    return made


def _list(kind: Any, filled: list[Any], absent: list[bool], rng: Random) -> Any:
    flat = [item for value in filled for item in value]
    bounds = np.cumsum([0, *(len(value) for value in filled)])
    mask = pa.array(absent, pa.bool_())
    if isinstance(kind, pa.MapType):
        keys = array_of(kind.key_type, [key for key, _ in flat], rng)
        items = array_of(kind.item_type, [item for _, item in flat], rng)
        offsets: Any = pa.array(bounds, pa.int32())
        return pa.MapArray.from_arrays(offsets, keys, items, mask=mask)
    child = array_of(kind.value_type, flat, rng)
    if isinstance(kind, pa.FixedSizeListType):
        if kind.list_size == 0:
            return pa.array([None if gone else [] for gone in absent], kind)
        return pa.FixedSizeListArray.from_arrays(child, kind.list_size, mask=mask)
    if rng.random() < 0.5:
        return pa.LargeListArray.from_arrays(pa.array(bounds, pa.int64()), child, mask=mask)
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), child, mask=mask)


def _validity(absent: list[bool]) -> pa.Buffer | None:
    if not any(absent):
        return None
    return pa.py_buffer(np.packbits([not gone for gone in absent], bitorder="little").tobytes())


def _text(kind: Any, filled: list[Any], absent: list[bool], rng: Random) -> Any:
    large = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
    wide = rng.random() < 0.5
    bounds = np.cumsum([0, *(len(value) for value in filled)]).astype("<i8" if wide else "<i4")
    buffers = [_validity(absent), pa.py_buffer(bounds.tobytes()), pa.py_buffer(b"".join(filled))]
    return pa.Array.from_buffers(large[kind] if wide else kind, len(filled), buffers)


def _fixed(kind: Any, filled: list[Any], absent: list[bool], rng: Random) -> Any:
    if pa.types.is_boolean(kind):
        return pa.array(np.array(filled, dtype=bool), mask=np.array(absent, dtype=bool))
    if pa.types.is_decimal(kind):
        kind = _wider(kind, rng)
    if not pa.types.is_fixed_size_binary(kind):
        signed = any(value < 0 for value in filled)
        width = kind.bit_width // 8
        filled = [value.to_bytes(width, "little", signed=signed) for value in filled]
    data = pa.py_buffer(b"".join(filled))
    return pa.Array.from_buffers(kind, len(filled), [_validity(absent), data])


def _wider(kind: Any, rng: Random) -> Any:
    makers: list[tuple[int, Any]] = [
        (9, pa.decimal32),
        (18, pa.decimal64),
        (38, pa.decimal128),
        (76, pa.decimal256),
    ]
    fitting = [make for digits, make in makers if kind.precision <= digits]
    return rng.choice(fitting)(kind.precision, kind.scale)
