from __future__ import annotations

from dataclasses import replace

import pytest

from repatria.amendment import amend, home_lines
from repatria.batch import Reason
from repatria.errors import FenceLost, Unbalanced
from repatria.receipt import ELSEWHERE
from tests.contract.ledger_contract import DE, DUBLIN_2, IE, NO, line, receipt, waits

CENSUS = {IE: 3, DE: 2, ELSEWHERE: 1}
STORED = receipt(1, line(IE, 3), census=CENSUS, waiting=(waits(Reason.ORPHAN, 8, kept=True),))


def test_the_first_receipt_stands_as_it_is() -> None:
    assert amend(None, STORED, reopened=False) is STORED


def test_a_repetition_changes_nothing() -> None:
    assert amend(STORED, replace(STORED, bytes_read=7), reopened=False) is STORED


def test_rows_erased_since_may_leave_the_account_when_lines_are_added() -> None:
    later = replace(STORED, census={IE: 3, DE: 1, ELSEWHERE: 1}, erased=1, lines=(line(DE, 1),))
    after = amend(STORED, later, reopened=False)
    assert after.lines == (line(IE, 3), line(DE, 1))
    assert (after.erased, after.moved, after.stayed) == (1, 4, 1)
    with pytest.raises(Unbalanced):
        amend(STORED, replace(later, lines=()), reopened=False)


def test_a_committed_line_that_is_forgotten_must_still_balance() -> None:
    later = replace(STORED, census={IE: 2, DE: 2, ELSEWHERE: 1}, erased=1, lines=(line(DE, 2),))
    assert later.checked() is later
    for reopened in (False, True):
        with pytest.raises(Unbalanced):
            amend(STORED, later, reopened=reopened)


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize(
    "change", [{"read": 8, "erased": 1}, {"last": False}, {"site": "x"}, {"dataset": "x"}]
)
def test_what_was_read_never_changes(change: dict[str, object], *, reopened: bool) -> None:
    assert STORED.read == 7
    with pytest.raises(Unbalanced):
        amend(STORED, replace(STORED, **change), reopened=reopened)  # type: ignore[arg-type]


def test_another_version_takes_the_place_of_the_former_whole() -> None:
    newer = receipt(1, line(IE, 9, replaced=1), line(DE, 1), version="v2", erased=2)
    assert amend(STORED, newer, reopened=False, over="v1") is newer


@pytest.mark.parametrize("over", [None, "v0", "v2"])
def test_another_version_stands_only_over_the_one_that_its_work_began_from(
    over: str | None,
) -> None:
    empty = replace(STORED, lines=())
    newer = receipt(1, line(IE, 9), version="v2")
    assert amend(empty, newer, reopened=False, over="v1") is newer
    for reopened in (False, True):
        with pytest.raises(FenceLost):
            amend(empty, newer, reopened=reopened, over=over)


def test_another_version_is_bound_by_the_parcels_of_the_former_one() -> None:
    alone = receipt(1, line(IE, 3), version="v2")
    assert amend(STORED, alone, reopened=False, over="v1") is alone
    for reopened in (False, True):
        with pytest.raises(Unbalanced, match="forgotten"):
            amend(STORED, replace(alone, lines=()), reopened=reopened, over="v1")
        for wrong in (line(IE, 3, replaced=2), replace(line(IE, 3), sha256="00" * 32)):
            with pytest.raises(Unbalanced, match="behind"):
                amend(STORED, replace(alone, lines=(wrong,)), reopened=reopened, over="v1")


def test_residency_may_change_only_in_a_batch_that_was_opened() -> None:
    later = replace(STORED, decisions="00" * 32, lines=(*STORED.lines, line(DE, 2)))
    with pytest.raises(Unbalanced, match="residency"):
        amend(STORED, later, reopened=False)
    assert amend(STORED, later, reopened=True) == later


def test_a_receipt_that_names_a_place_twice_is_refused() -> None:
    for twice in (
        replace(STORED, lines=(line(IE, 3), line(IE, 3))),
        receipt(1, waiting=(waits(Reason.ORPHAN, 1), waits(Reason.ORPHAN, 2))),
    ):
        with pytest.raises(Unbalanced, match="twice"):
            amend(None, twice, reopened=False)


def test_kept_records_are_not_forgotten_by_an_entry_that_does_not_say_where() -> None:
    (kept,) = STORED.waiting
    bare = replace(kept, site=None, kept=None)
    again = replace(STORED, waiting=(bare, waits(Reason.CONFLICT, region=NO)))
    assert amend(STORED, again, reopened=True).waiting[0] == kept
    moved = replace(bare, positions=(9,))
    assert amend(STORED, replace(again, waiting=(moved,)), reopened=True).waiting == (moved,)


def test_an_entry_of_none_that_wait_keeps_no_copy_of_those_that_did() -> None:
    (entry,) = STORED.waiting
    moved = replace(entry, rows=0, site=None, kept=None)
    later = replace(STORED, waiting=(moved,), erased=entry.rows)
    assert amend(STORED, later, reopened=True).waiting == (moved,)


def test_the_home_of_a_region_is_the_line_recorded_first() -> None:
    lines = (line(IE, 3), line(IE, 3, DUBLIN_2), line(DE, 1, DUBLIN_2))
    assert home_lines(lines) == {IE: lines[0], DE: lines[2]}
