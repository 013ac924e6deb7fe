"""Proves that outputs are equal: every record of a home, every value, against the source itself.

What must stand at a home is computed from the source by another way than any contender's: the
files are read whole with pyarrow, filtered, and ordered by the user (who has one profile). What
stands there is read back from the store, brought to the same types (an engine may write a text
as ``large_string``) and the same order, and compared value by value. NaN equals NaN.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from bench.people import HOMES, REGIONS
from bench.seed import ENDINGS, Form, Seeded
from bench.store import Store
from repatria.layout import OURS

Values: TypeAlias = "pa.ChunkedArray[Any]"
KEY: Final = "user_id"
_BLOCK: Final = 16 * 1024 * 1024


class Unequal(Exception):
    """A contender's output is not what it should be."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contender left its output."""

    store: Store
    bucket: str
    prefix: str


@dataclass
class Judge:
    """Knows what a set must become."""

    data: Seeded

    @cached_property
    def expected(self) -> dict[str, pa.Table]:
        """What each home must hold, in order of users."""
        regions = {home: pa.array(REGIONS[name]) for name, home in HOMES.items()}
        found: dict[str, list[pa.Table]] = {home: [] for home in regions}
        for file in self.data.files:
            rows = self.read(file.read_bytes())
            for home, countries in regions.items():
                found[home].append(rows.filter(pc.is_in(rows["country"], countries)))
        return {home: ordered(pa.concat_tables(tables)) for home, tables in found.items()}

    def split(self, home: str, at: Place, codec: str) -> int:
        """Compare what stands of a home's records; return their number. Raises ``Unequal``."""
        wanted = self.expected[home]
        contents = [at.store.get(at.bucket, key) for key in self._data_keys(at)]
        if not contents:
            raise Unequal(f"{home}: nothing was written")
        if self.data.shape.form is Form.PARQUET:
            _check_codec(contents, codec)
        tables = [self.read(content).select(wanted.column_names) for content in contents]
        got = ordered(pa.concat_tables([table.cast(wanted.schema) for table in tables]))
        if got.num_rows != wanted.num_rows:
            raise Unequal(f"{home}: {got.num_rows} records, and not {wanted.num_rows}")
        for name in wanted.column_names:
            if not same(got[name], wanted[name]):
                raise Unequal(f"{home}: the values of {name} differ")
        return got.num_rows

    def copy(self, at: Place) -> int:
        """Compare a copy of the source, object by object; return its records."""
        keys = list(self._data_keys(at))
        if [key.rpartition("/")[2] for key in keys] != [file.name for file in self.data.files]:
            raise Unequal("the copy has other objects")
        for key, file in zip(keys, self.data.files, strict=True):
            if hashlib.sha256(at.store.get(at.bucket, key)).digest() != (
                hashlib.sha256(file.read_bytes()).digest()
            ):
                raise Unequal(f"{file.name}: the bytes differ")
        return self.data.rows

    def read(self, content: bytes) -> pa.Table:
        """Read one object, its dictionaries dissolved."""
        form = self.data.shape.form
        if form is Form.PARQUET:
            return _plain(pq.read_table(io.BytesIO(content)))
        text = gzip.decompress(content) if form is Form.JSONL_GZ else content
        return _plain(pj.read_json(io.BytesIO(text), pj.ReadOptions(block_size=_BLOCK)))

    def _data_keys(self, at: Place) -> Iterator[str]:
        ending = f".{ENDINGS[self.data.shape.form]}"
        for key in at.store.keys(at.bucket, at.prefix):
            if key.endswith(ending) and OURS not in key:
                yield key


def ordered(rows: pa.Table) -> pa.Table:
    """Return ``rows`` in order of users."""
    return rows.take(pc.sort_indices(rows[KEY].combine_chunks()))


def same(one: Values, other: Values) -> bool:
    """Whether two columns hold the same values; NaN equals NaN, and null nothing but null."""
    if not pa.types.is_floating(one.type):
        return one.equals(other)
    nans, others = pc.is_nan(one), pc.is_nan(other)
    if not nans.equals(others):
        return False
    zero = pa.scalar(0.0, one.type)
    return bool(pc.if_else(nans, zero, one).equals(pc.if_else(others, zero, other)))


def _plain(rows: pa.Table) -> pa.Table:
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))


def _check_codec(contents: list[bytes], codec: str) -> None:
    for content in contents:
        said = pq.ParquetFile(io.BytesIO(content)).metadata
        found = {
            said.row_group(group).column(column).compression.lower()
            for group in range(said.num_row_groups)
            for column in range(said.num_columns)
        }
        if not found <= {codec}:
            raise Unequal(f"written with {', '.join(sorted(found))} and not with {codec}")
