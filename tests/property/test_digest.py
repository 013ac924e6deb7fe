"""Laws of record digests, against an oracle that was written from the document alone."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from repatria.digest import Digester, Digests, Kind, add, compare, empty
from tests.property import digest_oracle as oracle
from tests.property.arrow_layouts import array_of, kinds, one_value

KEY = bytes(range(32))
DIGESTER = Digester(KEY, kernel=None)
Fields = list[tuple[str, pa.DataType]]

schemas = st.lists(st.tuples(st.text(max_size=3), kinds()), max_size=4)
seeds = st.integers(0, 2**32)


def numbers(digests: Digests) -> list[int]:
    return [int(high) << 64 | int(low) for high, low in digests.pairs]


def table_of(fields: Fields, rows: list[list[Any]], rng: Random) -> pa.Table:
    """Lay rows out as a table, each column cut into chunks of its own."""
    columns = []
    for place, (_, kind) in enumerate(fields):
        cut = rng.randint(0, len(rows))
        values = [row[place] for row in rows]
        first = array_of(kind, values[:cut], rng)
        second = _alike(array_of(kind, values[cut:], rng), first, kind)
        columns.append(pa.chunked_array([first, second]) if second is not None
                       else pa.chunked_array([array_of(kind, values, rng)]))  # fmt: skip
    schema = pa.schema([(name, c.type) for (name, _), c in zip(fields, columns, strict=True)])
    return pa.Table.from_arrays(columns, schema=schema)


def _alike(array: pa.Array[Any], other: pa.Array[Any], _: pa.DataType) -> pa.Array[Any] | None:
    return array if array.type == other.type else None


@settings(max_examples=250, deadline=None)
@given(fields=schemas, seed=seeds, count=st.integers(0, 9))
def test_every_layout_of_any_records_agrees_with_the_oracle(
    fields: Fields, seed: int, count: int
) -> None:
    rng = Random(seed)
    rows = [[one_value(kind, rng) for _, kind in fields] for _ in range(count)]
    table = table_of(fields, rows, rng)
    expected = [oracle.canonical(KEY, fields, row) for row in rows] if fields else []
    assert numbers(DIGESTER.records(table)) == expected


@settings(max_examples=30, deadline=None)
@given(lines=st.lists(st.binary(max_size=40)), ends=st.sampled_from([b"", b"\n", b"\r\n"]))
def test_a_line_is_its_bytes_without_their_terminator(lines: list[bytes], ends: bytes) -> None:
    kept = [line.rstrip(b"\r\n") for line in lines]
    array = pa.array([line + ends for line in kept], pa.large_binary())
    expected = [oracle.record(KEY, "line", [pa.binary()], [line]) for line in kept]
    assert numbers(DIGESTER.lines(array)) == expected


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=20)


def digests(values: list[tuple[int, int]]) -> Digests:
    """Digests close to the edges of their words, so that sums overflow and halves collide."""
    words = np.array(values, dtype=np.uint64).reshape(-1, 2)
    return Digests(Kind.CANONICAL, np.uint64(2**64 - 1) - words)


@given(source=pairs, target=pairs)
def test_comparison_counts_duplicates_as_often_as_they_stand(
    source: list[tuple[int, int]], target: list[tuple[int, int]]
) -> None:
    left = list(source)
    matched = 0
    for value in target:
        if value in left:
            left.remove(value)
            matched += 1
    found = compare(digests(source), digests(target))
    assert (found.matched, found.missing, found.extra) == (
        matched,
        len(source) - matched,
        len(target) - matched,
    )


@given(first=pairs, second=pairs)
def test_a_multiset_is_the_sum_of_its_parts_in_any_order(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    whole = digests([*first, *second]).multiset()
    parts = add(digests(second).multiset(), digests(first).multiset())
    total = sum(numbers(digests([*first, *second])))
    assert whole == parts == f"c0:{len(first) + len(second)}:{total % 2**128:032x}"
    assert add(whole, empty(Kind.CANONICAL)) == whole


@settings(max_examples=60, deadline=None)
@given(kind=kinds(), seed=seeds)
def test_changing_one_value_changes_the_digest(kind: pa.DataType, seed: int) -> None:
    rng = Random(seed)
    one, other = one_value(kind, rng), one_value(kind, rng)
    fields = [("c", kind)]
    same = oracle.canonical(KEY, fields, [one]) == oracle.canonical(KEY, fields, [other])
    first = DIGESTER.records(table_of(fields, [[one]], rng))
    second = DIGESTER.records(table_of(fields, [[other]], rng))
    assert (compare(first, second).matched == 1) is same
    if not pa.types.is_floating(kind) and not pa.types.is_nested(kind):
        assert same is (one == other)
