"""The compiled kernel gives the same digests as NumPy and as the oracle, whatever the layout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repatria.dataset import ColumnType
from repatria.digest import Digester
from repatria.digest.kernel import Kernel
from repatria.digest.schedule import POSITIONS
from repatria.digest.told import DEPTH_MAX, nodes_of
from tests.compiled import fresh_kernel, library_file, sanitizer
from tests.property import digest_oracle as oracle
from tests.property import watched_kernel
from tests.property.arrow_layouts import array_of, one_value
from tests.property.test_digest import Fields, numbers, schemas, seeds, table_of

KEY = bytes(range(32))
REFERENCE = Digester(KEY, kernel=None)
LONG = 8 * POSITIONS + 13
"""Bytes of a text whose words have positions beyond those that are kept."""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with fresh_kernel() as found:
        yield found


class Strict(Kernel):
    """A kernel that may not leave a batch to NumPy."""

    def __init__(self, kernel: Kernel) -> None:
        self._digest = kernel._digest

    def rows(self, *told: Any) -> Any:
        found = super().rows(*told)
        assert found is not None, "the kernel takes the batch for damaged"
        return found


@pytest.fixture(scope="module")
def compiled(kernel: Kernel) -> Digester:
    return Digester(KEY, kernel=Strict(kernel))


def same(compiled: Digester, table: pa.Table) -> bool:
    return bool((compiled.records(table).pairs == REFERENCE.records(table).pairs).all())


@settings(max_examples=120, deadline=None)
@given(fields=schemas, seed=seeds, count=st.integers(0, 9))
def test_every_layout_of_any_records_agrees_with_the_oracle(
    compiled: Digester, fields: Fields, seed: int, count: int
) -> None:
    rng = Random(seed)
    rows = [[one_value(kind, rng) for _, kind in fields] for _ in range(count)]
    expected = [oracle.canonical(KEY, fields, row) for row in rows] if fields else []
    assert numbers(compiled.records(table_of(fields, rows, rng))) == expected


@settings(max_examples=20, deadline=None)
@given(fields=schemas, seed=seeds, start=st.integers(0, 600))
def test_batches_of_many_blocks_and_their_slices_agree_with_numpy(
    compiled: Digester, fields: Fields, seed: int, start: int
) -> None:
    rng = Random(seed)
    few = [[one_value(kind, rng) for _, kind in fields] for _ in range(700)]
    table = table_of(fields, few, rng)
    assert same(compiled, pa.concat_tables([table.slice(start), table.slice(0, start), table]))


@settings(max_examples=100, deadline=None)
@given(lines=st.lists(st.binary(max_size=80)), ends=st.sampled_from([b"", b"\n", b"\r\n"]))
def test_lines_agree_with_numpy_wherever_they_end(
    compiled: Digester, lines: list[bytes], ends: bytes
) -> None:
    for kind in (pa.large_binary(), pa.binary()):
        array = pa.array([line + ends for line in lines], kind)
        assert (compiled.lines(array).pairs == REFERENCE.lines(array).pairs).all()
        assert (compiled.lines(array[1:]).pairs == REFERENCE.lines(array[1:]).pairs).all()


@pytest.mark.parametrize("length", [*range(34), 64, 1000, LONG - 20, LONG])
def test_text_of_any_length_agrees_with_numpy(compiled: Digester, length: int) -> None:
    text = np.random.default_rng(length).bytes(length)
    columns = [pa.array([text, b"", text]), pa.array([text] * 3, pa.binary(length))]
    assert same(compiled, pa.table(columns, names=["any", "fixed"]))


@pytest.mark.parametrize("count", [1, 511, 512, 513, 1025, POSITIONS + 700])
def test_lists_of_any_length_agree_with_numpy(compiled: Digester, count: int) -> None:
    values = pa.array(np.arange(2 * count + 3))
    bounds = pa.array([0, 1, 1 + count, 1 + count, 3 + 2 * count], pa.int32())
    listed = pa.ListArray.from_arrays(bounds, values)
    assert same(compiled, pa.table({"list": listed, "list of lists": nested(listed)}))


def nested(listed: pa.Array[Any]) -> pa.Array[Any]:
    return pa.ListArray.from_arrays(pa.array([0, 0, 1, 3, 4], pa.int32()), listed)


@pytest.mark.parametrize("depth", [1, DEPTH_MAX, DEPTH_MAX + 1, 2 * DEPTH_MAX])
def test_any_nesting_agrees_with_numpy(compiled: Digester, depth: int) -> None:
    kind: pa.DataType = pa.float64()
    for level in range(depth):
        kind = pa.list_(kind) if level % 4 == 3 else pa.struct([("x", kind)])
    rng = Random(depth)
    column = array_of(kind, [one_value(kind, rng, nulls=0.1) for _ in range(20)], rng)
    assert (nodes_of(column.type) is None) == (depth > DEPTH_MAX)
    assert same(compiled, pa.table({"deep": column, "flat": pa.array(range(20))}))


def test_declared_values_agree_with_numpy(compiled: Digester) -> None:
    users = pa.chunked_array([["a", None], ["b" * 30]])
    numbers = pa.array([1, -1, None])
    columns: list[pa.ChunkedArray[Any] | pa.Array[Any]] = [users, numbers]
    types = [ColumnType.STRING, ColumnType.INT64]
    found, expected = (it.values(columns, types) for it in (compiled, REFERENCE))
    assert (found.pairs == expected.pairs).all()


def test_more_rows_than_a_dictionary_has_values_and_fewer_agree_with_numpy(
    compiled: Digester,
) -> None:
    values = pa.array(["a", None, "c" * 20, ""])
    for indices in ([3, 0], [1, None, 2, 2, 0, 3, 3], []):
        for kind in (pa.int8(), pa.uint16(), pa.int32(), pa.uint64()):
            places: Any = pa.array(indices, kind)
            column = pa.DictionaryArray.from_arrays(places, values)
            assert same(compiled, pa.table({"d": column}))


def test_a_view_inside_of_a_list_is_left_to_numpy_and_the_rest_is_not(compiled: Digester) -> None:
    views = pa.ListArray.from_arrays(
        pa.array([0, 1, 3], pa.int32()), pa.array(["a", None, "b" * 40], pa.string_view())
    )
    table = pa.table({"n": [1, 2], "views": views, "t": ["x", "y"], "v": views.flatten()[:2]})
    assert same(compiled, pa.concat_tables([table, table.slice(1)]))


def test_a_batch_that_is_not_what_it_says_is_left_to_numpy(kernel: Kernel) -> None:
    indices = pa.array([0, 7], pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["a"]), safe=False)
    for digester in (REFERENCE, Digester(KEY, kernel=kernel)):
        with pytest.raises(IndexError):
            digester.records(pa.table({"d": column}))


def test_the_kernel_reads_and_writes_nothing_but_what_is_its_own() -> None:
    """Under the address and undefined-behaviour sanitisers, in a process of its own."""
    with library_file(sanitized=True) as path:
        if (around := sanitizer()) is None:
            pytest.skip("NOT RUN for want of libasan: the kernel under sanitisers")
        command = [sys.executable, "-m", watched_kernel.__name__, str(path)]
        ended = subprocess.run(command, env=around, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout.strip() == "watched"
