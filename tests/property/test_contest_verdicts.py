"""Reconciliation of two sites: what the file of verdicts says is what judging all at once says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contest_file import ContestFile, ContestFileShelf
from connectors.memory.contest import MemoryContest, NoContest
from connectors.memory.spill import MemorySpills
from connectors.spill import DiskSpills
from repatria.batch import LINE
from repatria.contest import Standing
from repatria.dataset import ByCountry, Column, ColumnType, Dataset, Format
from repatria.digest import Digester
from repatria.errors import BadObject, Corrupt, Damaged, PlanRefused, StaleSlice, Transient
from repatria.names import DatasetName, SliceId
from repatria.ports.spill import Spills
from repatria.reconcile import Reconciled, Reconciler
from repatria.slice import Slice
from tests.property.tables import Held, TableSource, piece
from tests.property.test_contest import Copy, naive

PRIMARY, BACKUP = "us-east", "singapore"
WINS, SUPERSEDED, CONFLICT, ORPHAN = Standing


def dataset(form: Format = Format.PARQUET, *, dated: bool = True) -> Dataset:
    return Dataset(
        name=DatasetName("profiles"),
        prefix="profiles/",
        format=form,
        identity=(Column("id", ColumnType.INT64), Column("part")),
        user=Column("part"),
        residency=ByCountry("part"),
        version=Column("version", ColumnType.INT64) if dated else None,
    )


def table(rows: list[Copy]) -> pa.Table:
    return pa.table(
        {
            "id": pa.array([row.identity for row in rows], pa.int64()),
            "part": pa.array(["x"] * len(rows)),
            "version": pa.array([row.version for row in rows], pa.int64()),
            "body": pa.array([row.content for row in rows], pa.int32()),
        }
    )


def lines(rows: list[Copy], end: bytes) -> pa.Table:
    told = [str(row).encode() + end for row in rows]
    return table(rows).drop_columns(["body"]).append_column(LINE, pa.array(told, pa.large_binary()))


def reconcile(
    primary: Held,
    backup: Held,
    path: Path,
    of: Dataset | None = None,
    spills: Spills | None = None,
    shuffle: Callable[[list[Slice]], None] = lambda _: None,
) -> Reconciled:
    ours: Any = TableSource(primary, PRIMARY)
    theirs: Any = TableSource(backup, BACKUP)
    pieces = [piece(n, PRIMARY) for n in range(len(primary))]
    pieces += [piece(n, BACKUP) for n in range(len(backup))]
    shuffle(pieces)
    return Reconciler(
        dataset=of or dataset(),
        primary=ours,
        backup=theirs,
        digester=Digester(b"reconciling key!"),
        spills=spills or MemorySpills(),
        shelf=ContestFileShelf(path),
    ).reconcile(lambda: iter(pieces))


def cut(rows: list[Copy], rng: Random, make: Callable[[list[Copy]], pa.Table]) -> Held:
    """Cut rows into slices and batches, some of them empty."""
    places = [(rng.randrange(2), rng.randrange(2)) for _ in rows]
    return [
        [
            make([row for row, at in zip(rows, places, strict=True) if at == (number, ordinal)])
            for ordinal in range(2)
        ]
        for number in range(2)
    ]


def rows_of(held: pa.Table) -> list[Copy]:
    columns = (held[name].to_pylist() for name in ("id", "version", "body"))
    return [Copy(*row) for row in zip(*columns, strict=True)]


def whole(row: Copy) -> Copy:
    """A record's content is all of its columns, the version too."""
    return Copy(row.identity, row.version, hash((row.version, row.content)) % 2**31)


copies = st.lists(
    st.builds(
        Copy,
        st.sampled_from([None, 0, 1, 2, 3]),
        st.sampled_from([None, -(2**63), 1, 2, 2, 2]),
        st.integers(0, 1),
    ),
    max_size=10,
)


@settings(max_examples=60, deadline=None)
@given(primary=copies, backup=copies, seed=st.integers(0, 99), dated=st.booleans())
def test_every_row_has_the_standing_of_the_table_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory,
    primary: list[Copy],
    backup: list[Copy],
    seed: int,
    dated: bool,
) -> None:
    folder, rng = tmp_path_factory.mktemp("contest"), Random(seed)
    ours, theirs = cut(primary, rng, table), cut(backup, rng, table)
    found = reconcile(ours, theirs, folder / "v", dataset(dated=dated))
    verdicts = ContestFile(folder / "v", found.digest)
    told: list[int] = []
    for site, held, mine, others in (
        (PRIMARY, ours, [*map(whole, primary)], [*map(whole, backup)]),
        (BACKUP, theirs, [*map(whole, backup)], [*map(whole, primary)]),
    ):
        for number, batches in enumerate(held):
            for ordinal, batch in enumerate(batches):
                assert isinstance(batch, pa.Table)
                expected = [
                    naive(whole(row), mine, others, ours=site == PRIMARY, versions=dated)
                    for row in rows_of(batch)
                ]
                got = verdicts.verdicts(piece(number, site).id, ordinal, batch.num_rows)
                assert got.tolist() == expected
                told += expected
    counts = [found.superseded, found.conflicts, found.orphans]
    assert counts == [told.count(code) for code in (SUPERSEDED, CONFLICT, ORPHAN)]
    assert found.contested == len(backup)


@settings(max_examples=20, deadline=None)
@given(primary=copies, backup=copies, seed=st.integers(0, 99))
def test_the_bytes_do_not_depend_on_the_order_of_slices_or_the_spill(
    tmp_path_factory: pytest.TempPathFactory, primary: list[Copy], backup: list[Copy], seed: int
) -> None:
    folder, rng = tmp_path_factory.mktemp("contest"), Random(seed)
    ours, theirs = cut(primary, rng, table), cut(backup, rng, table)
    one = reconcile(ours, theirs, folder / "one")
    two = reconcile(
        ours, theirs, folder / "two", spills=DiskSpills(folder / "s"), shuffle=rng.shuffle
    )
    assert one == two
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    assert list((folder / "s").iterdir()) == []


def test_lines_are_compared_by_their_bytes_without_terminators(tmp_path: Path) -> None:
    same, other = Copy(1, 5, 0), Copy(2, 5, 0)
    ours: Held = [[lines([same, other], b"\r\n")]]
    theirs: Held = [[lines([same, Copy(2, 5, 1)], b"\n")]]
    found = reconcile(ours, theirs, tmp_path / "v", dataset(Format.JSONL))
    verdicts = ContestFile(tmp_path / "v", found.digest)
    assert verdicts.verdicts(piece(0, PRIMARY).id, 0, 2).tolist() == [WINS, CONFLICT]
    assert verdicts.verdicts(piece(0, BACKUP).id, 0, 2).tolist() == [SUPERSEDED, CONFLICT]


A, NEWER, OTHER = Copy(1, 5, 0), Copy(1, 6, 0), Copy(2, 5, 0)


def test_a_backup_slice_that_fails_midway_judges_nobody_and_is_refused(tmp_path: Path) -> None:
    theirs: Held = [[table([NEWER]), StaleSlice("gone")], [table([OTHER])]]
    found = reconcile([[table([A])]], theirs, tmp_path / "v")
    assert found.failed == ((piece(0, BACKUP).id, "gone"),)
    verdicts = ContestFile(tmp_path / "v", found.digest)
    assert verdicts.verdicts(piece(0, PRIMARY).id, 0, 1).tolist() == [WINS]
    assert verdicts.verdicts(piece(1, BACKUP).id, 0, 1).tolist() == [ORPHAN]
    for ordinal in (0, 1):
        with pytest.raises(BadObject, match="could not be read"):
            verdicts.verdicts(piece(0, BACKUP).id, ordinal, 1)


def test_a_primary_slice_that_fails_leaves_the_backup_waiting(tmp_path: Path) -> None:
    found = reconcile(
        [[table([NEWER]), BadObject("torn")], [table([OTHER])]],
        [[table([A, OTHER])]],
        tmp_path / "v",
    )
    assert found.failed == ((piece(0, PRIMARY).id, "torn"),)
    verdicts = ContestFile(tmp_path / "v", found.digest)
    assert verdicts.verdicts(piece(0, BACKUP).id, 0, 2).tolist() == [ORPHAN, SUPERSEDED]
    assert verdicts.verdicts(piece(0, PRIMARY).id, 3, 2).tolist() == [WINS, WINS]


def test_what_was_not_heard_has_no_verdict(tmp_path: Path) -> None:
    found = reconcile([[table([A])]], [[table([A])]], tmp_path / "v")
    verdicts = ContestFile(tmp_path / "v", found.digest)
    heard = piece(0, BACKUP).id
    for name, ordinal, rows in (
        (piece(7, BACKUP).id, 0, 1),
        (SliceId("0" * 32), 0, 1),
        (SliceId("f" * 32), 0, 1),
        (SliceId(heard[:16] + "0" * 16), 0, 1),
        (heard, 1, 1),
        (heard, 0, 2),
        (heard, 0, 0),
    ):
        with pytest.raises(Corrupt):
            verdicts.verdicts(name, ordinal, rows)
    assert verdicts.verdicts(heard, 0, 1).tolist() == [SUPERSEDED]


def test_any_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "v"
    found = reconcile([[table([A])]], [[table([NEWER, OTHER])]], path)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((Damaged, PlanRefused)):
            ContestFile(path, found.digest)


def test_the_filter_spares_the_primary_what_nobody_contests(tmp_path: Path) -> None:
    counting = MemorySpills()
    seen: list[int] = []
    ours = [Copy(number, 5, 0) for number in range(3_000)]

    class Watched:
        def open(self, row: np.dtype[Any]) -> Any:
            inner = counting.open(row)
            if "content" not in (row.names or ()):
                return inner
            return _Watching(inner, seen)

    watched: Any = Watched()
    reconcile([[table(ours)]], [[table([Copy(7, 5, 0)])]], tmp_path / "v", spills=watched)
    assert seen == [1, 1]
    assert counting.open_now == 0


class _Watching:
    """A spill that also counts what it is given."""

    def __init__(self, inner: Any, seen: list[int]) -> None:
        self._inner, self._seen = inner, seen

    def __enter__(self) -> Any:
        self._spill = self._inner.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._inner.__exit__(*error)

    def append(self, rows: Any, parts: Any) -> None:
        self._seen.append(len(rows))
        self._spill.append(rows, parts)

    def read(self, part: int) -> Any:
        return self._spill.read(part)


def test_a_transient_failure_keeps_no_verdict_and_no_spill(tmp_path: Path) -> None:
    spills = DiskSpills(tmp_path / "s")
    with pytest.raises(Transient):
        reconcile([[Transient("away")]], [[table([A])]], tmp_path / "v", spills=spills)
    assert {found.name for found in tmp_path.iterdir()} == {"s"}
    assert list((tmp_path / "s").iterdir()) == []


def test_other_verdicts_than_those_of_the_plan_are_refused(tmp_path: Path) -> None:
    found = reconcile([[table([A])]], [[table([A])]], tmp_path / "v")
    reconcile([[table([A])]], [[table([NEWER])]], tmp_path / "v")
    with pytest.raises(PlanRefused, match="planned with"):
        ContestFile(tmp_path / "v", found.digest)


def test_the_contests_in_memory_answer_as_the_port_says() -> None:
    assert NoContest().verdicts(SliceId("0" * 32), 0, 2).tolist() == [WINS, WINS]
    standings = {(SliceId("a" * 32), 0): np.array([ORPHAN], dtype=np.uint8)}
    given_ = MemoryContest(standings)
    assert given_.verdicts(SliceId("a" * 32), 0, 1).tolist() == [ORPHAN]
    for name, ordinal, rows in (("a", 1, 1), ("a", 0, 2), ("b", 0, 1)):
        with pytest.raises(Corrupt):
            given_.verdicts(SliceId(name * 32), ordinal, rows)
