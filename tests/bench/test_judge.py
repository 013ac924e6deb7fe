"""The benchmark's own parts: a judge that never finds fault would make every ratio worthless."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bench.goals import of_contest
from bench.judge import Judge, Place, Unequal, ordered, same
from bench.lines import json_lines
from bench.people import REGIONS, profiles
from bench.rounds import Figures
from bench.seed import Form, Shape, encoded, seeded

ROWS = 500


def test_the_same_people_stand_in_every_form(tmp_path: Path) -> None:
    read = {
        form: Judge(seeded(Shape(form=form, objects=2, rows=ROWS), tmp_path)).expected["hamar"]
        for form in Form
    }
    assert read[Form.JSONL].equals(read[Form.JSONL_GZ])
    assert read[Form.JSONL]["user_id"].equals(read[Form.PARQUET]["user_id"])
    assert 0 < read[Form.PARQUET].num_rows < 2 * ROWS


def test_a_line_says_what_the_row_says() -> None:
    rows = profiles(0, ROWS)
    lines = [json.loads(line) for line in json_lines(rows).splitlines()]
    for name in ("user_id", "interests", "address", "marketing", "version", "about"):
        assert [line[name] for line in lines] == rows[name].to_pylist()
    avatars = [bytes.fromhex(line["avatar"]) if line["avatar"] else None for line in lines]
    assert avatars == rows["avatar"].to_pylist()


def test_an_object_is_made_once_and_is_one_of_all_rows_when_joined(tmp_path: Path) -> None:
    shape = Shape(form=Form.PARQUET, objects=3, rows=ROWS, joined=True)
    [whole] = seeded(shape, tmp_path).files
    made = whole.stat().st_mtime_ns
    assert pq.read_metadata(whole).num_rows == 3 * ROWS
    assert seeded(shape, tmp_path).files[0].stat().st_mtime_ns == made


@pytest.mark.parametrize("column", ["score", "address", "avatar", "balance"])
def test_the_judge_notices_one_value_among_all(column: str) -> None:
    rows = ordered(profiles(0, ROWS))
    values = rows[column].combine_chunks()
    at = pc.index(values.is_valid(), pa.scalar(value=True)).as_py()
    nothing = pa.nulls(1, values.type)
    spoilt = pa.concat_arrays([values.slice(0, at), nothing, values.slice(at + 1)])
    assert same(rows[column], pa.chunked_array([values]))
    assert not same(rows[column], pa.chunked_array([spoilt]))


def test_nan_equals_nan_and_nothing_else() -> None:
    nan, null, zero = (pa.chunked_array([[one]], pa.float64()) for one in (float("nan"), None, 0.0))
    assert same(nan, nan)
    assert not same(nan, null)
    assert not same(nan, zero)
    assert not same(null, zero)


class Shelf:
    """A store with the objects of one bucket."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        return sorted(self.objects)

    def get(self, bucket: str, key: str) -> bytes:
        return self.objects[key]


def _written(rows: pa.Table, codec: Literal["zstd", "snappy"] = "zstd") -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression=codec)
    return sink.getvalue()


def _judged(tmp_path: Path, content: bytes) -> int:
    judge = Judge(seeded(Shape(form=Form.PARQUET, objects=1, rows=ROWS), tmp_path))
    shelf = Shelf({"profiles/a.parquet": content} if content else {})
    return judge.split("hamar", Place(shelf, "b", ""), "zstd")  # type: ignore[arg-type]


def _north() -> pa.Table:
    rows = profiles(0, ROWS)
    return rows.filter(pc.is_in(rows["country"], pa.array(REGIONS["NORTH"])))


def test_the_judge_passes_what_is_equal_in_any_order(tmp_path: Path) -> None:
    rows = _north()
    assert _judged(tmp_path, _written(rows.sort_by("email"))) == rows.num_rows


@pytest.mark.parametrize(
    "content",
    [
        b"",
        _written(_north().slice(1)),
        _written(pa.concat_tables([_north(), _north().slice(0, 1)])),
        _written(pa.concat_tables([_north().slice(1), _north().slice(1, 1)])),
        _written(profiles(0, ROWS)),
        _written(_north(), codec="snappy"),
    ],
    ids=["nothing", "one lost", "one doubled", "one for another", "not split", "another codec"],
)
def test_the_judge_refuses_what_is_not_equal(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Unequal):
        _judged(tmp_path, content)


def _figures(name: str, wall_s: float, cpu_s: float) -> Figures:
    return Figures(
        contender=name,
        verifies=name == "repatria",
        splits=True,
        rounds=1,
        wall_s=wall_s,
        cpu_s=cpu_s,
        peak_bytes=0,
        server_cpu_s=0.0,
        before_wall_s=0.0,
        rows_per_s=1e6 / wall_s,
        rows_per_cpu_s=1e6 / cpu_s,
    )


def test_a_goal_is_missed_where_the_figure_is_beyond_it() -> None:
    ours, theirs = _figures("repatria", 4.0, 9.0), _figures("polars", 4.0, 4.0)
    [goal] = of_contest(Form.PARQUET, [ours, theirs])
    assert (goal.figure, goal.reached) == (1.5, False)
    [goal] = of_contest(Form.PARQUET, [theirs_as_ours(theirs), theirs])
    assert (goal.figure, goal.reached) == (1.0, True)
    [goal] = of_contest(Form.JSONL, [ours, theirs])
    assert not goal.reached
    [goal] = of_contest(Form.JSONL, [_figures("repatria", 1.0, 1.0), theirs])
    assert goal.reached


def theirs_as_ours(figures: Figures) -> Figures:
    return replace(figures, contender="repatria")


def test_encoding_is_repeatable() -> None:
    rows = profiles(3, ROWS)
    assert all(encoded(rows, form) == encoded(profiles(3, ROWS), form) for form in Form)
