"""What digests tell apart, what they do not, and what they refuse."""

from __future__ import annotations

import threading
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from repatria.dataset import ColumnType
from repatria.digest import Digester, Digests, Kind, add, compare, empty, parse
from repatria.digest.digests import concat
from repatria.errors import BadObject, Corrupt
from tests.property import digest_oracle as oracle

KEY = b"0123456789abcdef"
DIGESTER = Digester(KEY)


def one(array: pa.Array[Any], name: str = "c") -> tuple[int, ...]:
    return tuple(DIGESTER.records(pa.table({name: array})).pairs[0].tolist())


def numbers(digests: Digests) -> list[int]:
    return [int(high) << 64 | int(low) for high, low in digests.pairs]


ONE_EACH: dict[str, pa.Array[Any]] = {
    "null": pa.array([None], pa.string()),
    "empty": pa.array([""]),
    "zero byte": pa.array(["\x00"]),
    "two zero bytes": pa.array(["\x00\x00"]),
    "zero as text": pa.array(["0"]),
    "binary": pa.array([b"0"]),
    "fixed binary": pa.array([b"0"], pa.binary(1)),
    "zero": pa.array([0]),
    "zero of 32 bits": pa.array([0], pa.int32()),
    "unsigned zero": pa.array([0], pa.uint64()),
    "null number": pa.array([None], pa.int64()),
    "null of no type": pa.nulls(1),
    "float zero": pa.array([0.0]),
    "minus zero": pa.array([-0.0]),
    "false": pa.array([False]),
    "timestamp": pa.array([0]).cast(pa.timestamp("us")),
    "timestamp of another unit": pa.array([0]).cast(pa.timestamp("ns")),
    "timestamp in UTC": pa.array([0]).cast(pa.timestamp("us", "UTC")),
    "timestamp of another zone": pa.array([0]).cast(pa.timestamp("us", "Etc/UTC")),
    "decimal": pa.array([0]).cast(pa.decimal128(20, 0)),
    "decimal of another scale": pa.array([0]).cast(pa.decimal128(22, 2)),
    "no list": pa.array([None], pa.list_(pa.int64())),
    "empty list": pa.array([[]], pa.list_(pa.int64())),
    "list of null": pa.array([[None]], pa.list_(pa.int64())),
    "list of zero": pa.array([[0]], pa.list_(pa.int64())),
    "list of two zeros": pa.array([[0, 0]], pa.list_(pa.int64())),
    "list of empty list": pa.array([[[]]], pa.list_(pa.list_(pa.int64()))),
    "list of one list": pa.array([[[0]]], pa.list_(pa.list_(pa.int64()))),
    "map": pa.array([[("a", 0)]], pa.map_(pa.string(), pa.int64())),
    "no struct": pa.array([None], pa.struct([("a", pa.int64())])),
    "struct of null": pa.array([{"a": None}], pa.struct([("a", pa.int64())])),
    "struct of zero": pa.array([{"a": 0}]),
    "struct of another name": pa.array([{"b": 0}]),
    "extension": pa.array([b"0" * 16], pa.binary(16)).cast(pa.uuid()),
    "its storage": pa.array([b"0" * 16], pa.binary(16)),
}


def test_what_differs_in_value_or_type_differs_in_digest() -> None:
    found = {name: one(array) for name, array in ONE_EACH.items()}
    assert len(set(found.values())) == len(ONE_EACH)


@pytest.mark.parametrize(
    "kind",
    [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()),
     pa.dictionary(pa.int32(), pa.large_string())],
    ids=str,
)  # fmt: skip
def test_the_layout_of_text_does_not_count(kind: pa.DataType) -> None:
    plain = pa.table({"c": pa.array(["a", None, "", "a", "longer than eight bytes"])})
    other = pa.table({"c": plain["c"].combine_chunks().cast(kind)})
    assert numbers(DIGESTER.records(plain)) == numbers(DIGESTER.records(other))


def test_every_nan_is_one_nan() -> None:
    bits = np.array([0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001], dtype=np.uint64)
    found = numbers(DIGESTER.records(pa.table({"c": pa.array(bits.view(np.float64))})))
    assert len(set(found)) == 1
    assert one(pa.array([np.inf])) != one(pa.array([np.nan]))


def test_columns_that_change_places_or_names_change_the_digest() -> None:
    a, b = pa.array([1]), pa.array([2])
    tables = [{"a": a, "b": b}, {"a": b, "b": a}, {"b": b, "a": a}, {"ab": a, "": b}]
    found = {DIGESTER.records(pa.table(columns)).multiset() for columns in tables}
    assert len(found) == len(tables)


def test_names_and_types_cannot_be_shifted_into_each_other() -> None:
    sly = pa.table({"a)1<int64>(1)b": pa.array([1])})
    assert DIGESTER.records(sly).multiset() != DIGESTER.records(pa.table({"a": [1]})).multiset()


def test_values_longer_than_a_piece_agree_with_the_oracle() -> None:
    rng = Random(7)
    sizes = [0, 1, 8 * 32768 - 1, 8 * 32768, 8 * 32768 + 1, 600_000, 3]
    values = [rng.randbytes(size) for size in sizes]
    found = numbers(DIGESTER.records(pa.table({"c": pa.array(values)})))
    fields = [("c", pa.binary())]
    for index in (1, 3, 4, 6):
        assert found[index] == oracle.canonical(KEY, fields, [values[index]])
    lists = pa.array([[1], list(range(40_000)), [2, 3]], pa.list_(pa.int64()))
    found = numbers(DIGESTER.records(pa.table({"c": lists})))
    wanted = oracle.canonical(KEY, [("c", lists.type)], [list(range(40_000))])
    assert found[1] == wanted


def test_where_blocks_and_chunks_begin_does_not_count() -> None:
    rows = 20_000
    table = pa.table(
        {
            "n": pa.array(range(rows)),
            "t": pa.array([str(n % 97) if n % 5 else None for n in range(rows)]),
            "l": pa.array([[n] * (n % 3) for n in range(rows)], pa.list_(pa.int32())),
        }
    )
    whole = numbers(DIGESTER.records(table))
    parts = [table.slice(at, 777) for at in range(0, rows, 777)]
    assert [n for part in parts for n in numbers(DIGESTER.records(part))] == whole
    assert numbers(DIGESTER.records(pa.concat_tables(parts))) == whole
    encoded = table.set_column(1, "t", table["t"].dictionary_encode())
    assert numbers(DIGESTER.records(encoded)) == whole
    assert numbers(DIGESTER.records(encoded.slice(19_990))) == whole[19_990:]


def test_a_dictionary_larger_than_a_block_is_digested_whole() -> None:
    values = pa.array([str(n) for n in range(40_000)])
    plain = DIGESTER.records(pa.table({"c": values})).multiset()
    assert DIGESTER.records(pa.table({"c": values.dictionary_encode()})).multiset() == plain


def test_a_table_without_columns_still_has_its_rows() -> None:
    rows = pa.table({"a": [1, 2]}).select([])
    assert DIGESTER.records(rows).multiset().startswith("c0:2:")
    assert DIGESTER.records(pa.table({"a": pa.array([], pa.int8())})).multiset() == empty(
        Kind.CANONICAL
    )


def test_lines_lose_one_terminator_and_nothing_else() -> None:
    lines = [b"a", b"a\n", b"a\r\n", b"a\r", b"a\n\n", b"a\r\r\n", b"", b"\n", b"\r\n", b"\r"]
    found = numbers(DIGESTER.lines(pa.array(lines, pa.large_binary())))
    assert len(set(found[:3])) == 1
    assert len(set(found[6:9])) == 1
    assert len(set(found)) == 5
    assert found[3] == oracle.record(KEY, "line", [pa.binary()], [b"a\r"])


def test_a_missing_line_and_a_type_without_digest_are_refused() -> None:
    with pytest.raises(BadObject, match="lines are bytes"):
        DIGESTER.lines(pa.array([None], pa.large_binary()))
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(BadObject, match="without a digest"):
        DIGESTER.records(pa.table({"c": union}))


def test_an_identity_is_the_same_in_every_layout_and_under_every_name() -> None:
    types = (ColumnType.STRING, ColumnType.INT64)
    plain = DIGESTER.values([pa.array(["a", "b"]), pa.array([1, 2])], types)
    other = DIGESTER.values(
        [pa.chunked_array([["a"], ["b"]]).dictionary_encode(), pa.chunked_array([[1, 2]])], types
    )
    assert numbers(plain) == numbers(other)
    swapped = DIGESTER.values([pa.array([1]), pa.array(["a"])], types[::-1])
    assert numbers(swapped)[0] != numbers(plain)[0]


@pytest.mark.parametrize("column", [pa.array([1], pa.int32()), pa.array(["1"]), pa.array([1.0])])
def test_an_undeclared_type_is_refused(column: pa.Array[Any]) -> None:
    with pytest.raises(BadObject, match="declared type"):
        DIGESTER.values([column], [ColumnType.INT64])


def test_another_key_gives_other_digests_and_another_check() -> None:
    other = Digester(KEY[::-1])
    table = pa.table({"a": [1]})
    assert DIGESTER.records(table).multiset() != other.records(table).multiset()
    assert DIGESTER.check != other.check
    assert DIGESTER.check == Digester(KEY).check


def test_two_kinds_never_meet() -> None:
    rows = DIGESTER.records(pa.table({"a": [1]}))
    lines = DIGESTER.lines(pa.array([b"1"], pa.large_binary()))
    for meet in (
        lambda: add(rows.multiset(), lines.multiset()),
        lambda: compare(rows, lines),
        lambda: concat([rows, lines], Kind.CANONICAL),
    ):
        with pytest.raises(Corrupt, match="two kinds"):
            meet()


@pytest.mark.parametrize(
    "text",
    ["", "c1:0:" + "0" * 32, "c0:-1:" + "0" * 32, "c0:01:" + "0" * 32, "x0:0:" + "0" * 32,
     "c0:0:" + "0" * 31, "c0:0:" + "0" * 32 + "\n", "C0:0:" + "A" * 32],
)  # fmt: skip
def test_what_is_not_a_multiset_is_refused(text: str) -> None:
    with pytest.raises(Corrupt):
        parse(text)


def test_a_multiset_reads_back() -> None:
    written = DIGESTER.records(pa.table({"a": [1, 1, 2]})).multiset()
    kind, count, total = parse(written)
    assert (kind, count) == (Kind.CANONICAL, 3)
    assert written == f"c0:3:{total:032x}"


def test_an_even_number_of_equal_records_does_not_vanish() -> None:
    twice = DIGESTER.records(pa.table({"a": [1, 1]})).multiset()
    other = DIGESTER.records(pa.table({"a": [2, 2]})).multiset()
    assert twice != other


def test_digests_do_not_print_and_do_not_change() -> None:
    rows = DIGESTER.records(pa.table({"a": [1]}))
    assert repr(rows) == "Digests(kind=<Kind.CANONICAL: 'c'>)"
    with pytest.raises(ValueError, match="read-only"):
        rows.pairs[0, 0] = 1


def test_threads_may_share_a_digester() -> None:
    table = pa.table({"a": [str(n) * 40 for n in range(5_000)]})
    expected = DIGESTER.records(table).multiset()
    shared, found = Digester(KEY), []
    threads = [
        threading.Thread(target=lambda: found.append(shared.records(table).multiset()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_parquet_gives_the_same_digests_back(tmp_path: Any) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415

    kept = {name: a for name, a in ONE_EACH.items() if name != "null of no type"}
    table = pa.table(kept)
    pq.write_table(table, tmp_path / "t.parquet")
    again = pq.read_table(tmp_path / "t.parquet")
    assert again.schema.equals(table.schema)
    assert DIGESTER.records(again).multiset() == DIGESTER.records(table).multiset()
