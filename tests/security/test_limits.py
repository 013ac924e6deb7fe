"""Each limit, at each format: what is just within passes, what is beyond is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from connectors.formats.codec import Codec
from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from connectors.formats.packing import packed
from connectors.formats.parquet import Parquet
from repatria.dataset import Compression, Format
from repatria.errors import BadObject
from repatria.limits import MIB, Limits
from tests.unit.parquet_samples import PROFILES, Held, parquet, people, piece_of
from tests.unit.text_objects import dataset, read, refused

PACKINGS = [Compression.NONE, Compression.GZIP, Compression.ZSTD]
CODECS: dict[Format, Callable[[Limits], Codec]] = {Format.JSONL: JsonLines, Format.CSV: Csv}
HEADER = b"n,user,country,at\n"


def row(kind: Format, number: int, user: str = "u", extra: str = "") -> bytes:
    if kind is Format.CSV:
        return f"{number},{user},IE,\n".encode()
    return b'{"n":%d,"user":"%s","country":"IE"%s}\n' % (number, user.encode(), extra.encode())


def text(kind: Format, *rows: bytes) -> bytes:
    return (HEADER if kind is Format.CSV else b"") + b"".join(rows)


def batches(kind: Format, packing: Compression, body: bytes, **limits: int) -> list[Any]:
    of = dataset(kind, compression=packing)
    stream = packed([body], packing).to_pybytes()
    return read(CODECS[kind](Limits(**{"batch_bytes": 1 << 20, **limits})), of, stream)


@dataclass(frozen=True)
class Bound:
    """A limit that a text just keeps at ``most``; beyond, the object is refused, or one record."""

    name: str
    most: int
    rows: Callable[[Format], list[bytes]]
    reason: str | None = None

    def __str__(self) -> str:
        return self.name


def ten(kind: Format) -> list[bytes]:
    return [row(kind, number) for number in range(10)]


def three_bad(kind: Format) -> list[bytes]:
    return [*ten(kind), *[b"}bad\n"] * 3]


def one_long(kind: Format) -> list[bytes]:
    return [row(kind, 1), row(kind, 2, "u" * 5_000), row(kind, 3)]


LENGTH = {kind: len(row(kind, 2, "u" * 5_000)) for kind in CODECS}
BOUNDS = [
    Bound("rows_per_object", 10, ten),
    Bound("batch_rows", 10, ten),
    Bound("batch_refusals", 3, three_bad),
    Bound("cell_bytes", 5_000, one_long, "too-large"),
]


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", list(CODECS))
@pytest.mark.parametrize("bound", BOUNDS, ids=str)
def test_a_text_within_its_limit_passes_and_beyond_is_refused(
    bound: Bound, kind: Format, packing: Compression
) -> None:
    body = text(kind, *bound.rows(kind))
    passed = batches(kind, packing, body, **{bound.name: bound.most})
    bad = 3 if bound.name == "batch_refusals" else 0
    assert sum(batch.rows.num_rows for batch in passed) == len(bound.rows(kind)) - bad
    beyond = {bound.name: bound.most - 1}
    if bound.reason is not None:
        assert [why for _, why in refused(batches(kind, packing, body, **beyond))] == [bound.reason]
        return
    with pytest.raises(BadObject, match=rf"limits\.{bound.name} .*users/a"):
        batches(kind, packing, body, **beyond)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", list(CODECS))
def test_a_record_within_its_bytes_passes_and_beyond_is_refused(
    kind: Format, packing: Compression
) -> None:
    body = text(kind, *one_long(kind))
    assert refused(batches(kind, packing, body, record_bytes=LENGTH[kind])) == []
    beyond = refused(batches(kind, packing, body, record_bytes=LENGTH[kind] - 1))
    assert [why for _, why in beyond] == ["too-large"]


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_record_nested_beyond_its_limit_is_refused(packing: Compression) -> None:
    deep = row(Format.JSONL, 2, extra=',"x":' + "[" * 9 + "]" * 9)
    body = row(Format.JSONL, 1) + deep + row(Format.JSONL, 3)
    assert refused(batches(Format.JSONL, packing, body, nesting=10)) == []
    beyond = batches(Format.JSONL, packing, body, nesting=9)
    assert [why for _, why in refused(beyond)] == ["too-deep"]


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_header_of_more_columns_than_the_limit_is_refused(packing: Compression) -> None:
    body = text(Format.CSV, *ten(Format.CSV))
    assert batches(Format.CSV, packing, body, columns=4)
    with pytest.raises(BadObject, match=r"limits\.columns .*users/a"):
        batches(Format.CSV, packing, body, columns=3)


@pytest.mark.parametrize("kind", list(CODECS))
@pytest.mark.parametrize("packing", PACKINGS[1:])
def test_a_stream_beyond_its_ratio_is_refused(kind: Format, packing: Compression) -> None:
    body = text(kind, row(kind, 1)) + (b" " * 99 + b"\n") * (66 * MIB // 100)
    assert batches(kind, packing, body, decoded_ratio=1 << 40)
    with pytest.raises(BadObject, match=r"limits\.decoded_ratio .*users/a"):
        batches(kind, packing, body, decoded_ratio=2)


def test_the_longest_value_of_a_row_counts_wherever_it_stands() -> None:
    for fields in (["x" * 90, "u", "IE", ""], ["1", '"' + "y" * 88 + '"', "IE", ""]):
        body = HEADER + ",".join(fields).encode() + b"\n"
        assert [why for _, why in refused(batches(Format.CSV, PACKINGS[0], body, cell_bytes=89))]
    inner = '{"n":1,"user":"u","country":"IE","more":[{"note":"%s"}]}\n' % ("é" * 45)
    body = inner.encode()
    assert refused(batches(Format.JSONL, PACKINGS[0], body, cell_bytes=90)) == []
    assert refused(batches(Format.JSONL, PACKINGS[0], body, cell_bytes=89))


# Parquet.


def typed(body: bytes, **limits: int) -> int:
    held = Held(body)
    codec = Parquet(Limits(**{"batch_bytes": 1 << 20, "slice_bytes": 1 << 20, **limits}))
    return sum(batch.rows.num_rows for batch in codec.batches(PROFILES, piece_of(held), held, None))


def with_value(kind: pa.DataType, **options: Any) -> bytes:
    values = pa.array([b"v" * 5_000, b"", None]).cast(kind)
    return parquet(people(3, value=values), store_schema=True, **options)


LISTED = pa.list_(pa.struct([("text", pa.string())]))
OBJECTS = {
    "rows_per_object": (10, parquet(people(10)), "too many rows"),
    "columns": (3, parquet(people(10)), "too many columns"),
    "row_groups": (2, parquet(people(10), row_group_size=5), "too many row groups"),
    "nesting": (3, parquet(people(1, deep=pa.array([[{"a": 1}]]))), "nested too deep"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_within_its_limit_passes_and_beyond_is_refused(name: str) -> None:
    most, body, why = OBJECTS[name]
    assert typed(body, **{name: most}) > 0
    with pytest.raises(BadObject, match=f"{why}.*a.parquet"):
        typed(body, **{name: most - 1})


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.binary(), pa.string_view(), pa.binary_view()],
    ids=str,
)
def test_a_value_within_its_bytes_passes_and_beyond_is_refused(
    kind: pa.DataType, *, dictionary: bool
) -> None:
    body = with_value(kind, use_dictionary=dictionary)
    assert typed(body, cell_bytes=5_000) == 3
    with pytest.raises(BadObject, match=r"limits\.cell_bytes .*column=value"):
        typed(body, cell_bytes=4_999)


@pytest.mark.parametrize("dictionary", [True, False])
def test_a_value_inside_a_list_is_as_long_as_any(*, dictionary: bool) -> None:
    values = pa.array([[{"text": "v" * 5_000}], [], None], LISTED)
    body = parquet(people(3, value=values), use_dictionary=dictionary)
    assert typed(body, cell_bytes=5_000) == 3
    with pytest.raises(BadObject, match=r"limits\.cell_bytes"):
        typed(body, cell_bytes=4_999)


def test_octets_of_one_length_are_values_too() -> None:
    body = parquet(people(2, value=pa.array([b"v" * 5_000, None], pa.binary(5_000))))
    assert typed(body, cell_bytes=5_000) == 2
    with pytest.raises(BadObject, match=r"limits\.cell_bytes"):
        typed(body, cell_bytes=4_999)


def test_a_dictionary_of_many_short_values_is_not_taken_for_a_long_one() -> None:
    words = pa.array([f"{number:040}" for number in range(5_000)])
    rows = people(50_000, word=words.take(np.arange(50_000) % 5_000))
    assert typed(parquet(rows), cell_bytes=1_024, batch_bytes_hard=64 * MIB) == 50_000


def test_a_batch_that_decodes_beyond_its_bytes_is_refused() -> None:
    rows = people(2_000, word=pa.array(["w" * 4_096] * 2_000))
    assert typed(parquet(rows), batch_bytes_hard=16 * MIB) == 2_000
    with pytest.raises(BadObject, match=r"limits\.batch_bytes_hard .*a.parquet"):
        typed(parquet(rows), batch_bytes_hard=4 * MIB)


def test_an_object_beyond_its_ratio_is_refused() -> None:
    rows = people(20_000, word=pa.array(["w" * 4_096] * 20_000))
    body = parquet(rows)
    assert typed(body) == 20_000
    with pytest.raises(BadObject, match=r"limits\.decoded_ratio .*a.parquet"):
        typed(body, decoded_ratio=2)


def test_a_limit_of_values_leaves_every_record_as_it_was() -> None:
    rows = people(300, value=pa.array([f"{number}" * 300 for number in range(300)]))
    held = Held(parquet(rows))
    codec = Parquet(replace(Limits(), cell_bytes=1_024, batch_bytes_hard=4 * MIB))
    found = [batch.rows for batch in codec.batches(PROFILES, piece_of(held), held, None)]
    assert json.dumps(pa.concat_tables(found).to_pylist()) == json.dumps(rows.to_pylist())
