"""Objects and rows for tests of the Parquet codec, and what "the same rows" means there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from repatria.dataset import ByCountry, Column, Dataset, Format
from repatria.limits import Limits
from repatria.names import DatasetName, SiteName, SliceId
from repatria.slice import Cut, Slice, Whole
from repatria.stored import ObjectVersion

PROFILES = Dataset(
    name=DatasetName("profiles"),
    prefix="profiles/",
    format=Format.PARQUET,
    identity=(Column("user"),),
    user=Column("user"),
    residency=ByCountry("country"),
)


class Held:
    """An object in memory that counts how it is read."""

    def __init__(self, body: bytes | pa.Buffer) -> None:
        self._body = pa.py_buffer(body)
        self.reads: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return int(self._body.size)

    def read(self, start: int, stop: int) -> pa.Buffer:
        assert 0 <= start <= stop <= self.size
        self.reads.append((start, stop))
        return self._body.slice(start, stop - start)

    def stream(self) -> AbstractContextManager[Iterator[bytes]]:
        return self._stream()

    @contextmanager
    def _stream(self) -> Iterator[Iterator[bytes]]:
        yield iter([self._body.to_pybytes()])


def piece_of(access: Held, cut: Cut | None = None, label: str = "a.parquet at us") -> Slice:
    return Slice(
        id=SliceId("0" * 32),
        dataset=PROFILES.name,
        site=SiteName("us"),
        object=ObjectVersion("profiles/a.parquet", access.size, "etag"),
        relative="a.parquet",
        label=label,
        cut=cut or Whole(),
    )


def budget(**changes: int) -> Limits:
    return Limits(**{"batch_bytes": 1 << 20, "slice_bytes": 1 << 22, **changes})


def people(rows: int, start: int = 0, **more: pa.Array[Any]) -> pa.Table:
    number = np.arange(start, start + rows)
    countries = pa.array(["IE", "US", "DE"])
    return pa.table(
        {
            "user": pa.array(number).cast(pa.string()),
            "country": countries.take(number % 3),
            "born": pa.array(number % 80 + 1930, pa.int16()),
            **more,
        }
    )


def parquet(rows: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, **options)
    return sink.getvalue().to_pybytes()


def same(left: pa.Table, right: pa.Table) -> bool:
    """Say whether two tables have one schema and the same values: NaN by its bits, null as null."""
    return left.schema.equals(right.schema, check_metadata=True) and all(
        one.equals(other) or told(one) == told(other)
        for one, other in zip(left.columns, right.columns, strict=True)
    )


def told(column: pa.ChunkedArray[Any]) -> list[Any]:
    if pa.types.is_floating(column.type):
        bits = pa.binary(column.type.bit_width // 8)
        return [value for chunk in column.chunks for value in chunk.view(bits).to_pylist()]
    return [repr(value) for value in column.to_pylist()]


def every_type(rows: int = 3) -> pa.Table:
    """Return a table of every Arrow type that Parquet can give, each with a null."""
    columns: dict[str, pa.Array[Any]] = {
        "user": pa.array(["a", "b", "c"]),
        "country": pa.array(["IE", None, "US"]),
        **{f"plain_{at}": pa.array([1, None, 3], kind) for at, kind in enumerate(_NUMBERS)},
        "boolean": pa.array([True, None, False]),
        "none": pa.nulls(3),
        "half": pa.array(np.array([1, np.nan, -0.0], dtype=np.float16)),
        "nan": pa.array(np.array([0x7FF8000000000001, 1 << 63, 0], dtype="u8").view("f8")),
        **{f"decimal_{at}": pa.array(_MONEY, kind) for at, kind in enumerate(_DECIMALS)},
        **{f"text_{at}": pa.array(["é", None, ""], kind) for at, kind in enumerate(_TEXTS)},
        **{f"bytes_{at}": pa.array([b"\0", None, b""], kind) for at, kind in enumerate(_BYTES)},
        "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
        "dictionary": pa.array(["x", None, "x"]).dictionary_encode(),
        **{f"list_{at}": pa.array(_LISTS, kind) for at, kind in enumerate(_LIST_TYPES)},
        "pairs": pa.array([[1, 2], None, [3, None]], pa.list_(pa.int32(), 2)),
        "map": pa.array([[("k", [1])], None, []], pa.map_(pa.string(), pa.list_(pa.int32()))),
        "struct": pa.array([{"a": {"b": 1}}, None, {"a": None}]),
        "uuid": _extended(pa.uuid(), pa.array([b"u" * 16, None, b"v" * 16], pa.binary(16))),
        "json": _extended(pa.json_(), pa.array(["{}", None, "1"])),
        "truth": _extended(pa.bool8(), pa.array([1, None, 0], pa.int8())),
    }
    fields = [
        pa.field(name, array.type, metadata={"PARQUET:field_id": str(at), "note": name})
        for at, (name, array) in enumerate(columns.items(), 1)
    ]
    table = pa.table(list(columns.values()), schema=pa.schema(fields, metadata={"made": "here"}))
    return table.slice(0, rows)


def _extended(kind: Any, storage: pa.Array[Any]) -> pa.Array[Any]:
    return pa.ExtensionArray.from_storage(kind, storage)


_NUMBERS: list[pa.DataType] = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()),
    *(pa.uint64(), pa.float32(), pa.float64(), pa.date32(), pa.time32("ms"), pa.time64("us")),
    *(pa.time64("ns"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns")),
    *(pa.timestamp("us", "UTC"), pa.timestamp("ns", "Europe/Dublin"), pa.timestamp("ms", "+02:00")),
    *(pa.duration("s"), pa.duration("ms"), pa.duration("us"), pa.duration("ns")),
]
_MONEY = [Decimal("-1.10"), None, Decimal("12.00")]
_DECIMALS: list[pa.DataType] = [
    *(pa.decimal32(7, 2), pa.decimal64(15, 2), pa.decimal128(5, 2), pa.decimal128(38, 2)),
    *(pa.decimal256(5, 2), pa.decimal256(70, 2)),
]
_TEXTS: list[pa.DataType] = [pa.string(), pa.large_string(), pa.string_view()]
_BYTES: list[pa.DataType] = [pa.binary(), pa.large_binary(), pa.binary_view()]
_LISTS = [[1, None], None, []]
_LIST_TYPES: list[pa.DataType] = [
    pa.list_(pa.field("element", pa.int32())),
    pa.list_(pa.field("item", pa.int32())),
    pa.list_(pa.field("array", pa.int32())),
    pa.large_list(pa.int32()),
    pa.list_view(pa.int32()),
    pa.large_list_view(pa.int32()),
]
