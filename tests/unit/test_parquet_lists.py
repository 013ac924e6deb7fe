"""Lists whose values may come to far more than their pages: the heaviest row decides."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pytest

from connectors.formats import parquet_steps
from connectors.formats.parquet import Parquet
from connectors.formats.parquet_cut import runs
from connectors.formats.parquet_lists import text_bytes
from connectors.formats.parquet_open import open_footer
from connectors.formats.parquet_steps import steps
from repatria.errors import BadObject
from repatria.limits import MIB
from tests.unit.parquet_samples import PROFILES, Held, budget, parquet, people, piece_of

HARD: Final = 16 * MIB
LONG: Final = "x" * 65_536
NESTED: Final = {
    "list": pa.array([["a", "bbb", None], None, [], ["cc"]]),
    "large list": pa.array([[b"a", b"bbb"], None, [b"cc"]], pa.large_list(pa.binary())),
    "list of lists": pa.array([[["a"], ["bb", "c"]], [], None, [None, ["dddd"]]]),
    "fixed list": pa.array([["a", "b"], ["cc", None], ["d", "eee"]], pa.list_(pa.string(), 2)),
    "map": pa.array([[("k", "vv"), ("kk", "")], None, []], pa.map_(pa.string(), pa.string())),
    "struct": pa.array([{"a": "xx", "l": ["y", "zz"], "n": 1}, None, {"a": None, "l": [], "n": 2}]),
    "indices": pa.array(["a", "bbb", None, "a"]).dictionary_encode(),
    "numbers": pa.array([[1, 2], [], None]),
}


def weight(value: Any) -> int:
    """Add up the texts in a value, by walking it."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(weight, value)) if isinstance(value, list | tuple) else 0


def of_lists(lists: list[list[str]], **options: Any) -> bytes:
    rows = people(len(lists)).append_column("list", pa.array(lists, pa.list_(pa.string())))
    return parquet(rows, dictionary_pagesize_limit=64 * MIB, **options)


def read(body: bytes) -> pa.Table:
    held = Held(body)
    limits = budget(batch_bytes_hard=HARD, batch_bytes=MIB)
    batches = Parquet(limits).batches(PROFILES, piece_of(held, None), held, None)
    return pa.concat_tables([batch.rows for batch in batches])


def step_of(body: bytes) -> int:
    limits = budget(batch_bytes_hard=HARD, batch_bytes=MIB)
    opened = open_footer(Held(body), "a.parquet", limits)
    (run,) = runs(opened.groups, 0, len(opened.groups), limits.batch_bytes)
    return steps(opened, run).rows


@pytest.mark.parametrize("kind", NESTED)
def test_each_row_comes_to_the_texts_in_it(kind: str) -> None:
    array = NESTED[kind]
    for part in (array, array.slice(1), array.slice(0, 2), array.slice(2, 1), array.slice(0, 0)):
        assert text_bytes(part).tolist() == [weight(value) for value in part.to_pylist()]


def test_a_row_that_alone_goes_beyond_a_step_is_refused() -> None:
    with pytest.raises(BadObject, match="the lists of one row decode to more"):
        read(of_lists([[LONG] * 65, *([[]] * 5_000)]))


def test_two_lists_that_are_heavy_in_one_row_only_together_are_refused() -> None:
    lists = pa.array([[LONG] * 40, *([[]] * 5_000)])
    rows = people(5_001).append_column("one", lists).append_column("other", lists)
    with pytest.raises(BadObject, match="the lists of one row decode to more"):
        read(parquet(rows, dictionary_pagesize_limit=64 * MIB))


@pytest.mark.parametrize("groups", [5_000, 1_000])
def test_a_heavy_row_is_read_in_steps_that_it_fits_into(groups: int) -> None:
    lists = [[LONG] * 20, *([["a", "b"]] * 4_998), [LONG] * 50]
    body = of_lists(lists, row_group_size=groups)
    assert step_of(body) == 1
    assert read(body).column("list").to_pylist() == lists


def test_a_long_value_elsewhere_does_not_refuse_a_long_list() -> None:
    lists = [[LONG], *([["a"] * 300] * 200)]
    body = of_lists(lists)
    assert HARD // 4 // len(LONG) // 2 < step_of(body) <= HARD // 4 // len(LONG)
    assert read(body).column("list").to_pylist() == lists


def test_lists_that_are_light_all_together_are_read_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(parquet_steps, "heaviest_row")
    lists = [["a", "b", "c"]] * 5_000
    assert read(of_lists(lists)).column("list").to_pylist() == lists


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_lists_of_differences_arrive(encoding: str) -> None:
    lists = [[f"value {at} {other}" for other in range(3)] for at in range(5_000)]
    rows = people(len(lists)).append_column("list", pa.array(lists))
    body = parquet(rows, use_dictionary=False, column_encoding={"list.list.element": encoding})
    assert read(body).to_pylist() == rows.to_pylist()


def test_lists_whose_dictionary_grew_too_large_arrive() -> None:
    lists = [[f"{at * 3 + other:>100}" for other in range(3)] for at in range(20_000)]
    rows = people(len(lists)).append_column("list", pa.array(lists))
    body = parquet(rows, dictionary_pagesize_limit=100_000)
    assert step_of(body) < 20_000, "the lists were added up"
    assert read(body).to_pylist() == rows.to_pylist()


def test_a_map_of_heavy_values_is_judged_by_its_heaviest_row() -> None:
    kind = pa.map_(pa.string(), pa.string())
    maps = [[(f"k{at}", LONG) for at in range(20)], *([[("k", "v")]] * 5_000)]
    rows = people(len(maps)).append_column("map", pa.array(maps, kind))
    body = parquet(rows, dictionary_pagesize_limit=64 * MIB)
    assert 1 < step_of(body) <= HARD // 4 // (20 * len(LONG))
    assert read(body).to_pylist() == rows.to_pylist()
