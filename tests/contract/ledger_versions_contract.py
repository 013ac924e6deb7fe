"""What every ``Ledger`` must do when a source changes: of each batch one version stands.

A new ledger inherits this beside ``LedgerContract``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import pytest

from repatria.batch import Reason
from repatria.errors import FenceLost, Unbalanced
from repatria.names import SiteName
from repatria.ports.ledger import Ledger, Verdict
from repatria.receipt import BatchName, Line, Receipt
from tests.contract.ledger_contract import (
    DE,
    DUBLIN_2,
    IE,
    LOGINS,
    NO,
    POSTS,
    held,
    line,
    piece_id,
    receipt,
    waits,
)

V1 = receipt(
    1,
    line(IE, 3),
    line(IE, 3, DUBLIN_2),
    line(DE, 2),
    waiting=(waits(Reason.ORPHAN, 7, kept=True), waits(Reason.MALFORMED, 2)),
)
V2 = receipt(
    1,
    line(IE, 4, replaced=1),
    line(IE, 4, DUBLIN_2, replaced=1),
    line(DE, 2),
    version="v2",
    waiting=(waits(Reason.ORPHAN, 9),),
)


def _all(ledger: Ledger) -> tuple[object, ...]:
    """Return everything that a commit may change."""
    return (
        list(ledger.receipts()),
        ledger.committed([piece_id(1)]),
        ledger.reopened([piece_id(1)]),
        list(ledger.waiting()),
        ledger.moved(),
        ledger.accounts(),
        ledger.entries(0, 100),
    )


class LedgerVersionsContract(ABC):
    @pytest.fixture
    @abstractmethod
    def ledger(self) -> Ledger:
        """Return an empty ledger."""

    def test_a_changed_source_takes_the_place_of_its_former_version(self, ledger: Ledger) -> None:
        commit = held(ledger)
        other = receipt(1, line(IE, 1), ordinal=1)
        commit(V1)
        commit(other)
        commit(V2)
        assert list(ledger.receipts()) == [V2, other]
        assert list(ledger.receipts(POSTS, DE)) == [V2]
        assert ledger.committed([piece_id(1)]) == {V2.batch: V2, other.batch: other}

    def test_the_journal_keeps_the_entries_of_every_version(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(V1)
        commit(V2)
        told = [entry for _, entry in ledger.entries(0, 10)]
        assert told == [f"entry of {each.batch}".encode() for each in (V1, V2)]

    def test_what_waited_of_a_former_version_waits_no_longer(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(V1)
        former = list(ledger.waiting())
        commit(V2)
        (entry,) = ledger.waiting()
        assert (entry.batch, entry.positions, entry.kept) == (V2.batch, (9,), None)
        assert entry.id > max(old.id for old in former)
        assert [ledger.entry(old.id) for old in former] == [None, None]
        assert ledger.decide([old.id for old in former], Verdict.RELEASE, "ada", "late") == 0
        assert ledger.reopened([piece_id(1)]) == frozenset()

    def test_a_decision_about_a_former_version_is_none_about_its_successor(
        self, ledger: Ledger
    ) -> None:
        commit = held(ledger)
        commit(V1)
        ledger.decide([entry.id for entry in ledger.waiting()], Verdict.DROP, "ada", "gone")
        commit(V2)
        assert [(e.verdict, e.by) for e in ledger.waiting()] == [(Verdict.OPEN, None)]

    def test_a_rule_for_the_dataset_holds_for_every_version(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(V1)
        ledger.rule(POSTS, Reason.ORPHAN, Verdict.RELEASE, "ada")
        assert ledger.reopened([piece_id(1)]) == {V1.batch}
        commit(V2)
        assert [(e.verdict, e.by) for e in ledger.waiting()] == [(Verdict.RELEASE, "ada")]
        assert ledger.reopened([piece_id(1)]) == {V2.batch}

    def test_a_mark_to_read_again_goes_with_its_version(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(V1)
        assert ledger.reopen([V1.batch, V2.batch]) == 1
        commit(V2)
        assert ledger.reopened([piece_id(1)]) == frozenset()
        assert ledger.reopen([V1.batch]) == 0
        assert ledger.reopened([piece_id(1)]) == frozenset()
        with pytest.raises(Unbalanced):
            commit(replace(V2, waiting=(), erased=1))

    @pytest.mark.parametrize("lost", V1.lines, ids=lambda each: f"{each.region}-{each.site}")
    def test_no_parcel_of_a_former_version_is_forgotten(self, ledger: Ledger, lost: Line) -> None:
        commit = held(ledger)
        commit(V1)
        ledger.reopen([V1.batch])
        before = _all(ledger)
        kept = (each for each in V2.lines if (each.region, each.site) != (lost.region, lost.site))
        with pytest.raises(Unbalanced, match="forgotten"):
            commit(replace(V2, lines=tuple(kept)))
        assert _all(ledger) == before

    @pytest.mark.parametrize(
        "wrong",
        [
            line(DE, 2, replaced=2),
            line(DE, 2, replaced=7),
            replace(line(DE, 2), sha256="00" * 32),
            replace(line(DE, 2), digest="2:ff"),
            replace(line(DE, 2), object=replace(line(DE, 2).object, etag="other")),
        ],
    )
    def test_a_parcel_of_a_former_version_is_left_alone_or_replaced_once(
        self, ledger: Ledger, wrong: Line
    ) -> None:
        commit = held(ledger)
        commit(V1)
        before = _all(ledger)
        with pytest.raises(Unbalanced, match="behind"):
            commit(replace(V2, lines=(*V2.lines[:2], wrong)))
        assert _all(ledger) == before
        commit(replace(V2, lines=(*V2.lines[:2], replace(wrong, replaced=1))))

    def test_a_former_version_that_comes_late_changes_nothing(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(V1)
        commit(V2)
        before = _all(ledger)
        with pytest.raises(Unbalanced):
            commit(V1)
        assert _all(ledger) == before

    def test_a_version_that_returns_replaces_once_more(self, ledger: Ledger) -> None:
        commit = held(ledger)
        back = replace(
            V1,
            lines=tuple(
                replace(each, replaced=old.replaced + 1)
                for each, old in zip(V1.lines, V2.lines, strict=True)
            ),
        )
        for each in (V1, V2, back):
            commit(each)
        assert list(ledger.receipts()) == [back]

    def test_a_changed_source_stays_in_its_dataset_and_site(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(V1)
        before = _all(ledger)
        for wrong in (replace(V2, dataset=LOGINS), replace(V2, site=SiteName("singapore"))):
            with pytest.raises(Unbalanced):
                commit(wrong)
        assert _all(ledger) == before

    def test_a_lost_fence_leaves_the_former_version_standing(self, ledger: Ledger) -> None:
        old = ledger.take("a/1", "me", None)
        assert old is not None
        ledger.commit(V1, old, [])
        ledger.take("a/1", "you", (old.fence, 0))
        before = _all(ledger)
        with pytest.raises(FenceLost):
            ledger.commit(V2, old, [b"ghost"], "v1")
        assert _all(ledger) == before

    @pytest.mark.parametrize("over", [None, "v0", "v1"])
    @pytest.mark.parametrize("lines", [(), V2.lines])
    def test_who_began_before_a_newer_version_stood_commits_nothing_over_it(
        self, ledger: Ledger, over: str | None, lines: tuple[Line, ...]
    ) -> None:
        """Not even where the newer one has no parcel that could be forgotten."""
        held(ledger)(receipt(1, *lines, version="v2"))
        lease = ledger.take("b/1", "late", None)
        assert lease is not None
        before = _all(ledger)
        late = receipt(1, *(replace(each, replaced=each.replaced + 1) for each in lines))
        with pytest.raises(FenceLost, match="newer version"):
            ledger.commit(late, lease, [b"late"], over)
        assert _all(ledger) == before
        ledger.commit(late, lease, [b"late"], "v2")
        assert list(ledger.receipts()) == [late]

    def test_a_commit_over_a_former_version_may_be_repeated(self, ledger: Ledger) -> None:
        held(ledger)(V1)
        lease = ledger.take("b/1", "me", None)
        assert lease is not None
        ledger.commit(V2, lease, [b"once"], "v1")
        before = _all(ledger)
        ledger.commit(V2, lease, [b"once"], "v1")
        assert _all(ledger) == before

    def test_a_batch_that_the_source_no_longer_has_leaves_empty_parcels(
        self, ledger: Ledger
    ) -> None:
        commit = held(ledger)
        commit(V1)
        gone = Receipt(
            batch=BatchName(piece_id(1), 0, "v2"),
            dataset=POSTS,
            site=V1.site,
            last=True,
            read=0,
            census={},
            erased=0,
            superseded=0,
            waiting=(),
            lines=tuple(replace(each, rows=0, replaced=1) for each in V1.lines),
            decisions=V1.decisions,
            bytes_read=0,
        )
        commit(gone)
        assert list(ledger.receipts()) == [gone]
        assert list(ledger.waiting()) == []
        assert {found.rows for found in ledger.moved()} == {0}

    def test_totals_forget_what_a_newer_version_replaced(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(V1)
        commit(V2)
        rows = {found.region: (found.batches, found.rows) for found in ledger.moved()}
        assert rows == {IE: (1, 4), DE: (1, 2)}
        assert ledger.accounts()[POSTS]["batches"] == 1
        assert ledger.accounts()[POSTS]["read"] == V2.read
        assert ledger.accounts()[POSTS]["quarantined"] == 1

    def test_a_region_that_came_with_a_newer_version_is_added_to_it(self, ledger: Ledger) -> None:
        commit = held(ledger)
        census = {IE: 1, NO: 2}
        newer = receipt(1, line(IE, 1, replaced=1), version="v2", census=census)
        commit(receipt(1, line(IE, 1)))
        commit(newer)
        commit(replace(newer, lines=(line(NO, 2),)))
        assert list(ledger.receipts()) == [replace(newer, lines=(*newer.lines, line(NO, 2)))]
