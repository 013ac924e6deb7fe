"""Writing Parquet: the house's one way, chosen so that what was read is what arrives.

zstd at level 1 (right for a wide-area link, see bench/), page checksums, the Arrow schema
beside Parquet's own, list elements under the names that they came with. A dictionary is built only
for columns whose first values repeat: to build one for every column costs a third of the rate. The
least and the greatest value are told of numbers, times and repeating text, and not of text that
does not repeat, where finding them costs a seventh and nobody's search is helped.
The bytes depend on the values and the schema alone, not on chunks, so that a repeated put
finds its own bytes; they may differ between versions of the Parquet library.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SAMPLE_ROWS = 4096
VALUES_AT_ONCE = 65_536
REPEATS = 4
"""A column is worth a dictionary if its sample has this many rows for each distinct value."""


def write(rows: pa.Table) -> pa.Buffer:
    """Return ``rows`` as a Parquet object; an empty table keeps its schema."""
    sink = pa.BufferOutputStream()
    repeated = repeating(rows)
    with pq.ParquetWriter(
        sink,
        rows.schema,
        version="2.6",
        compression="zstd",
        compression_level=1,
        use_dictionary=repeated,  # type: ignore[arg-type]
        write_statistics=ranged(rows.schema, repeated),
        write_batch_size=VALUES_AT_ONCE,
        use_compliant_nested_type=False,
        store_schema=True,
        write_page_checksum=True,
    ) as writer:
        writer.write_table(rows.combine_chunks())
    return sink.getvalue()


def repeating(rows: pa.Table) -> list[str]:
    """Name the flat columns of few distinct values: about a millisecond for each column."""
    sample = rows.slice(0, SAMPLE_ROWS)
    return [
        field.name
        for index, field in enumerate(sample.schema)
        if _repeats(field.type, sample.column(index))
    ]


def ranged(schema: pa.Schema, repeated: list[str]) -> list[str]:
    """Name the flat columns whose least and greatest values are told."""
    few = set(repeated)
    return [
        field.name
        for field in schema
        if field.name in few or not (_is_text(field.type) or pa.types.is_nested(field.type))
    ]


def _repeats(kind: pa.DataType, column: pa.ChunkedArray[Any]) -> bool:
    if pa.types.is_dictionary(kind):
        return True
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_decimal128(kind)):
        return False
    distinct = pc.count_distinct(column, mode="all").as_py()
    return len(column) >= REPEATS * distinct


def _is_text(kind: pa.DataType) -> bool:
    return any(
        asks(kind)
        for asks in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
        )
    )
