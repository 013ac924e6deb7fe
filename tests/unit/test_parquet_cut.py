"""The arithmetic of cutting: budgets hold, nothing is lost, and only the footer counts."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.parquet_cut import Group, cut_groups, runs, weigh
from repatria.slice import RowGroups, Whole

GROUPS = st.lists(
    st.builds(
        lambda rows, weight, packed: Group(rows, weight if rows else 0, packed, 0, 0),
        st.integers(0, 500),
        st.integers(1, 5_000),
        st.integers(0, 5_000),
    ),
    max_size=12,
)


@given(GROUPS, st.integers(1, 10_000))
def test_the_cuts_of_an_object_cover_its_groups_once(groups: list[Group], size: int) -> None:
    cuts = cut_groups(groups, size)
    if cuts == (Whole(),):
        return
    spans = [(cut.first, cut.stop) for cut in cuts if isinstance(cut, RowGroups)]
    assert len(spans) == len(cuts)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(groups)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(spans))
    for first, stop in spans:
        assert stop - first == 1 or sum(g.packed for g in groups[first:stop]) <= size


@given(GROUPS, st.integers(1, 10_000), st.data())
def test_batches_hold_every_row_once_and_in_order(
    groups: list[Group], budget: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(groups)))
    stop = data.draw(st.integers(first, len(groups)))
    row, ordinal = sum(group.rows for group in groups[:first]), 0
    for run in runs(groups, first, stop, budget):
        assert run.row == row
        assert run.ordinal == ordinal
        assert sum(run.rows) == sum(group.rows for group in groups[run.first : run.stop])
        row, ordinal = row + sum(run.rows), ordinal + len(run.rows)
    assert row == sum(group.rows for group in groups[:stop])
    assert ordinal >= 1


@given(GROUPS, st.integers(1, 10_000))
def test_a_batch_keeps_its_budget_or_is_one_row(groups: list[Group], budget: int) -> None:
    for run in runs(groups, 0, len(groups), budget):
        rows = sum(run.rows)
        weight = sum(group.weight for group in groups[run.first : run.stop])
        for piece in run.rows:
            assert piece <= 1 or piece * weight <= budget * rows


def test_groups_of_one_run_share_a_batch() -> None:
    groups = [Group(10, 40, 1, 0, 0)] * 5
    assert [(run.first, run.stop, run.rows) for run in runs(groups, 0, 5, 100)] == [
        (0, 2, (20,)),
        (2, 4, (20,)),
        (4, 5, (10,)),
    ]


def test_a_heavy_group_comes_in_equal_pieces_and_a_rest() -> None:
    (run,) = runs([Group(10, 1_000, 1, 0, 0)], 0, 1, 300)
    assert run.rows == (3, 3, 3, 1)


def test_groups_without_rows_are_no_batch_of_their_own() -> None:
    groups = [Group(0, 0, 0, 0, 0), Group(5, 200, 0, 0, 0), Group(0, 0, 0, 0, 0)]
    assert [run.rows for run in runs(groups, 0, 3, 100)] == [(2, 2, 1)]
    assert [run.rows for run in runs(groups, 0, 1, 100)] == [(0,)]


def test_a_group_weighs_what_its_values_need_at_least() -> None:
    assert weigh(1_000_000, 10, 3) == 1_000_000
    assert weigh(12, 1_000, 3) == 24_000
    assert weigh(-1, 10, 0) == 80
