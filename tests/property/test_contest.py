"""The contest between primary and backup, against the table of its docstring done naively."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repatria.contest import Copies, Standing, judge

WINS, SUPERSEDED, CONFLICT, ORPHAN = Standing


@dataclass(frozen=True)
class Copy:
    identity: int | None
    version: int | None
    content: int


copies = st.lists(
    st.builds(
        Copy,
        st.sampled_from([None, 0, 1, 2]),
        st.sampled_from([None, -(2**63), 0, 1, 1, 2, 2, 2]),
        st.integers(0, 2),
    ),
    max_size=9,
)


def columns(rows: list[Copy], *, versions: bool) -> Copies:
    identity = np.array([[7, row.identity or 0] for row in rows], dtype=np.uint64).reshape(-1, 2)
    return Copies(
        identity=identity,
        content=np.array([[row.content, 1] for row in rows], dtype=np.uint64).reshape(-1, 2),
        named=np.array([row.identity is not None for row in rows], dtype=np.bool_),
        version=np.array([row.version or 0 for row in rows], dtype=np.int64) if versions else None,
        versioned=np.array([row.version is not None for row in rows], dtype=np.bool_)
        if versions
        else None,
    )


def judged(
    primary: list[Copy], backup: list[Copy], *, versions: bool = True
) -> tuple[list[int], list[int]]:
    ours, theirs = judge(columns(primary, versions=versions), columns(backup, versions=versions))
    return ours.tolist(), theirs.tolist()


def naive(row: Copy, mine: list[Copy], others: list[Copy], *, ours: bool, versions: bool) -> int:
    """Judge one copy by reading the table top to bottom."""
    mine = [copy for copy in mine if copy.identity == row.identity]
    others = [copy for copy in others if copy.identity == row.identity]
    if row.identity is None or not others or not versions:
        alone = row.identity is None or not others
        return WINS if ours else ORPHAN if alone else SUPERSEDED
    if any(copy.version is None for copy in mine + others):
        mine = [Copy(copy.identity, 0, copy.content) for copy in mine]
        others = [Copy(copy.identity, 0, copy.content) for copy in others]
        row = Copy(row.identity, 0, row.content)
    newest_here = max(copy.version or 0 for copy in mine)
    newest_there = max(copy.version or 0 for copy in others)
    assert row.version is not None
    if (newest_here if ours else row.version) < newest_there:
        return SUPERSEDED
    if not row.version == newest_here == newest_there:
        return WINS
    return by_content(row, mine, others, ours=ours)


def by_content(row: Copy, mine: list[Copy], others: list[Copy], *, ours: bool) -> int:
    here = {copy.content for copy in mine if copy.version == row.version}
    there = {copy.content for copy in others if copy.version == row.version}
    if row.content in there:
        return WINS if ours else SUPERSEDED
    if not ours:
        return CONFLICT
    return CONFLICT if there - here else WINS


@given(primary=copies, backup=copies, versions=st.booleans())
def test_every_standing_is_what_the_table_says(
    primary: list[Copy], backup: list[Copy], versions: bool
) -> None:
    expected = (
        [naive(row, primary, backup, ours=True, versions=versions) for row in primary],
        [naive(row, backup, primary, ours=False, versions=versions) for row in backup],
    )
    assert judged(primary, backup, versions=versions) == expected


@given(primary=copies, backup=copies, versions=st.booleans())
def test_no_identity_ends_with_all_of_its_copies_superseded(
    primary: list[Copy], backup: list[Copy], versions: bool
) -> None:
    ours, theirs = judged(primary, backup, versions=versions)
    rows = list(zip([*primary, *backup], [*ours, *theirs], strict=True))
    kept = {row.identity for row, standing in rows if standing != SUPERSEDED}
    assert kept == {row.identity for row, _ in rows}


@given(primary=copies)
def test_a_backup_equal_to_the_primary_changes_nothing(primary: list[Copy]) -> None:
    named = [row for row in primary if row.identity is not None]
    ours, theirs = judged(named, list(reversed(named)))
    assert set(ours) <= {WINS}
    assert set(theirs) <= {SUPERSEDED}


A, B = Copy(1, 5, 0), Copy(1, 5, 1)


@pytest.mark.parametrize(
    ("primary", "backup", "expected"),
    [
        ([A], [], ([WINS], [])),
        ([], [A], ([], [ORPHAN])),
        ([A], [A], ([WINS], [SUPERSEDED])),
        ([A], [A, A, A], ([WINS], [SUPERSEDED] * 3)),
        ([A, A], [A], ([WINS] * 2, [SUPERSEDED])),
        ([A], [B], ([CONFLICT], [CONFLICT])),
        ([A, B], [B], ([WINS, WINS], [SUPERSEDED])),
        ([A], [A, B], ([WINS], [SUPERSEDED, CONFLICT])),
        ([A], [Copy(1, 6, 1)], ([SUPERSEDED], [WINS])),
        ([A], [A, B, Copy(1, 6, 1)], ([SUPERSEDED], [WINS, WINS, WINS])),
        ([Copy(1, 6, 1)], [A], ([WINS], [SUPERSEDED])),
        ([Copy(1, 6, 1), A], [B], ([WINS, WINS], [SUPERSEDED])),
        ([Copy(1, 4, 0), A], [A], ([WINS, WINS], [SUPERSEDED])),
        ([A], [Copy(1, 4, 0), Copy(1, 6, 1)], ([SUPERSEDED], [SUPERSEDED, WINS])),
        ([Copy(1, None, 0)], [A], ([WINS], [SUPERSEDED])),
        ([Copy(1, None, 0)], [B], ([CONFLICT], [CONFLICT])),
        ([Copy(None, 5, 0)], [Copy(None, 5, 0)], ([WINS], [ORPHAN])),
    ],
)
def test_the_cases_that_people_ask_about(
    primary: list[Copy], backup: list[Copy], expected: tuple[list[int], list[int]]
) -> None:
    assert judged(primary, backup) == expected


def test_without_versions_the_primary_wins_whatever_the_content() -> None:
    assert judged([A], [B, B], versions=False) == ([WINS], [SUPERSEDED, SUPERSEDED])
