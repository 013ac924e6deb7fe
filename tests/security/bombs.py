"""Small objects that would be huge, or endless, once they are decoded.

Each maker writes one object to a path in chunks, so that whoever makes it stays small too.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from repatria.limits import MIB
from tests.security.thrift_text import deep_footer, footer_of_groups

GOOD = b'{"user":"u1","country":"IE"}\n'
HEADER = b"user,country\n"


def gzipped(path: Path, chunks: Iterable[bytes]) -> None:
    """Pack each chunk as a member of its own; equal ones are packed once."""
    with path.open("wb") as file:
        before, member = b"", b""
        for chunk in chunks:
            if chunk is not before:
                before, member = chunk, gzip.compress(chunk, 9, mtime=0)
            file.write(member)


def zstandard(path: Path, chunks: Iterable[bytes]) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as file:
        for chunk in chunks:
            file.write(chunk)


def plain(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(chunks)


def one_long_line() -> Iterator[bytes]:
    """Begin well, then 1 GB without a line end."""
    yield GOOD
    yield from repeat(b"a" * MIB, 1024)


def bad_lines() -> Iterator[bytes]:
    """100 million records that are none."""
    yield GOOD
    yield from repeat(b"x\n" * (MIB // 2), 200)


def tiny_records() -> Iterator[bytes]:
    """70 million objects of nothing."""
    yield from repeat(b"{}\n" * (MIB // 3), 200)


def tiny_rows() -> Iterator[bytes]:
    """100 million rows of two empty fields."""
    yield HEADER
    yield from repeat(b",\n" * (MIB // 2), 200)


def unclosed_quote() -> Iterator[bytes]:
    yield HEADER + b"u1,IE\n" + b'"u2'
    yield from repeat(b",IE\nu3" * (MIB // 6), 100)


def many_fields() -> Iterator[bytes]:
    """Rows of sixteen million fields each."""
    yield HEADER + b"u1,IE\n"
    yield from repeat(b"," * (15 * MIB) + b"\n", 8)


def deep_json() -> Iterator[bytes]:
    yield GOOD
    yield b'{"user":"u2","country":"IE","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    yield GOOD


def long_integer() -> Iterator[bytes]:
    yield GOOD
    yield b'{"user":"u2","country":"IE","x":' + b"9" * 5_000 + b"}\n"
    yield b'{"user":"u3","country":' + b"9" * 5_000 + b"}\n"


def wide_field() -> Iterator[bytes]:
    yield HEADER + b"u1,IE\n" + b"u" * 200_000 + b",IE\nu3,IE\n"


def long_field() -> Iterator[bytes]:
    """Begin well, then 256 MB of one field."""
    yield HEADER + b"u1,IE\n"
    yield from repeat(b"a" * MIB, 256)


def many_commas() -> Iterator[bytes]:
    """One row of fifteen million fields, short enough to be a record."""
    yield HEADER + b"u1,IE\n" + b"," * (15 * MIB) + b"\nu2,IE\n"


def malformed_lines() -> Iterator[bytes]:
    """Two million lines that are long enough, and none of them a record."""
    yield GOOD
    line = b'{"user":"u%d","country":"IE"\n'
    yield from (b"".join(line % (n * 10_000 + at) for at in range(10_000)) for n in range(200))


def malformed_rows() -> Iterator[bytes]:
    """Two million rows of one field too few."""
    yield HEADER + b"u1,IE\n"
    yield from (b"".join(b"u%d\n" % (n * 10_000 + at) for at in range(10_000)) for n in range(200))


def heavy_values() -> Iterator[bytes]:
    """Records of five million empty lists, the second one cut off before its end."""
    lists = b"[]," * (5 * MIB)
    yield GOOD
    yield b'{"user":"u2","country":"IE","x":[' + lists + b"0]}\n"
    yield b'{"user":"u3","country":"IE","x":[' + lists + b"0}\n"
    yield b'{"user":"u4","country":"IE","x":{' + b'"a":{},' * (2 * MIB) + b'"b":NaN}}\n'
    yield GOOD


# Parquet.


def _write(path: Path, tables: Iterator[pa.Table], **options: Any) -> None:
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, **options) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _dictionaries(values: list[str], rows: int) -> pa.Table:
    numbers = np.arange(rows, dtype=np.int32)
    users = pa.DictionaryArray.from_arrays(numbers % len(values), pa.array(values))
    country = pa.DictionaryArray.from_arrays(numbers * 0, pa.array(["IE"]))
    return pa.table({"user": users, "country": country}).replace_schema_metadata(None)


def wide_values(path: Path) -> None:
    """5 million rows of 1,000 bytes each, in some hundred kB."""
    _write(
        path,
        repeat(_dictionaries(["x" * 1000], 500_000), 10),
        compression="zstd",
        store_schema=False,
    )


def long_dictionary(path: Path) -> None:
    """Few values of 1 MB each, and two hundred thousand references to them."""
    values = [chr(65 + at) * MIB for at in range(8)]
    _write(
        path,
        iter([_dictionaries(values, 200_000)]),
        compression="zstd",
        dictionary_pagesize_limit=64 * MIB,
        store_schema=False,
    )


def hidden_dictionary(path: Path) -> None:
    """Like ``long_dictionary``, with the many references in the last of the rows."""
    values = [f"u{at}" for at in range(50_000)] + ["x" * MIB]
    indices = np.concatenate([np.arange(50_000), np.full(150_000, 50_000)]).astype(np.int32)
    users = pa.DictionaryArray.from_arrays(indices, pa.array(values))
    table = pa.table({"user": users, "country": pa.array(["IE"] * len(indices))})
    _write(
        path,
        iter([table.replace_schema_metadata(None)]),
        compression="zstd",
        dictionary_pagesize_limit=64 * MIB,
        store_schema=False,
    )


def one_heavy_list(path: Path) -> None:
    """All references to a value of 1 MB in the list of one row, and 99,999 empty lists."""
    rows, values = 100_000, 1_900
    first = np.arange(values, dtype=np.int32) * 0
    long = pa.DictionaryArray.from_arrays(first, pa.array(["x" * MIB]))
    offsets = np.full(rows + 1, values, np.int32)
    offsets[0] = 0
    table = pa.table(
        {
            "user": pa.array([f"u{at}" for at in range(rows)]),
            "country": pa.array(["IE"] * rows),
            "list": pa.ListArray.from_arrays(cast("Any", pa.array(offsets)), long),
        }
    )
    _write(
        path,
        iter([table.replace_schema_metadata(None)]),
        compression="zstd",
        dictionary_pagesize_limit=64 * MIB,
        store_schema=False,
    )


def repeated_prefix(path: Path) -> None:
    """Each value repeats the one before by its length alone."""
    rows = 500
    table = pa.table({"user": pa.array(["x" * MIB] * rows), "country": pa.array(["IE"] * rows)})
    _write(
        path,
        iter([table] * 4),
        compression="zstd",
        use_dictionary=False,
        column_encoding={"user": "DELTA_BYTE_ARRAY", "country": "PLAIN"},
        write_statistics=False,
        store_schema=False,
    )


def one_row_groups(path: Path) -> None:
    """100,001 row groups of one row, told by a footer of 8 MB."""
    path.write_bytes(footer_of_groups(100_001))


def many_columns(path: Path) -> None:
    """20,000 columns."""
    columns = {f"c{at}": pa.array([at]) for at in range(20_000)}
    table = pa.table({"user": pa.array(["u"]), "country": pa.array(["IE"]), **columns})
    pq.write_table(table, path, store_schema=False)


def null_rows(path: Path) -> None:
    """20 million rows of nothing at all."""
    nulls = pa.nulls(1_000_000, pa.int64())
    countries = pa.nulls(1_000_000, pa.string())
    table = pa.table({"user": countries, "country": countries, "n": nulls})
    with pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False) as writer:
        for _ in range(20):
            writer.write_table(table)


def one_wide_list(path: Path) -> None:
    """Few rows, one of them a list of 40 million nulls."""
    items = 40_000_000
    offsets = pa.array([0, 1, items, items], pa.int64())
    lists: Any = pa.LargeListArray.from_arrays(cast("Any", offsets), pa.nulls(items))
    people = pa.array(["a", "b", "c"])
    table = pa.table({"user": people, "country": people, "list": lists})
    pq.write_table(table, path, compression="zstd", store_schema=False, data_page_size=1 << 30)


def one_wide_page(path: Path) -> None:
    """One page of 1 GB of zeros."""
    zeros = pa.array([bytes(MIB)] * 1000, pa.binary())
    texts = pa.array(["IE"] * 1000)
    table = pa.table({"user": texts, "country": texts, "blob": zeros})
    pq.write_table(
        table, path, compression="zstd", use_dictionary=False, data_page_size=1 << 31,
        write_batch_size=1 << 20, store_schema=False, write_statistics=False,
    )  # fmt: skip


def long_metadata(path: Path) -> None:
    """60 MB of key/value metadata."""
    table = pa.table({"user": pa.array(["u"]), "country": pa.array(["IE"])})
    table = table.replace_schema_metadata({"note": "x" * (60 * MIB)})
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"note": "x" * (60 * MIB)})


def many_notes(path: Path) -> None:
    """Nine hundred thousand entries of key/value metadata."""
    table = pa.table({"user": pa.array(["u"]), "country": pa.array(["IE"])})
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({f"{at}": "" for at in range(900_000)})


def deep_schema(path: Path) -> None:
    """A schema of 200,000 groups, one inside the other."""
    path.write_bytes(deep_footer(200_000))


PARQUET: Final[dict[str, Callable[[Path], None]]] = {
    maker.__name__: maker
    for maker in (
        wide_values, long_dictionary, hidden_dictionary, one_heavy_list, repeated_prefix,
        one_row_groups, many_columns, null_rows, one_wide_list, one_wide_page, long_metadata,
        many_notes, deep_schema,
    )
}  # fmt: skip
JSON: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    maker.__name__: maker
    for maker in (
        one_long_line, bad_lines, tiny_records, malformed_lines, heavy_values, deep_json,
        long_integer,
    )
}  # fmt: skip
CSV: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    maker.__name__: maker
    for maker in (
        long_field, bad_lines, tiny_rows, malformed_rows, unclosed_quote, many_fields,
        many_commas, wide_field,
    )
}  # fmt: skip
