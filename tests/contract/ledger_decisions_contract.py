"""What every ``Ledger`` must do with a decision when its batch is read again.

A decision by number is about the records that stood there then; one by rule is about all. A new
ledger inherits this beside ``LedgerContract``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import pytest

from repatria.batch import Reason
from repatria.ports.ledger import Ledger, Quarantined, Verdict
from repatria.receipt import Receipt, Waiting
from tests.contract.ledger_contract import IE, POSTS, held, line, piece_id, receipt, waits

READ = 12
VERDICTS = (Verdict.RELEASE, Verdict.DROP)


def told(ledger: Ledger) -> list[tuple[int, tuple[int, ...], Verdict, str | None]]:
    """Return how many wait, where, and what was decided about them by whom."""
    return [(e.rows, e.positions, e.verdict, e.by) for e in ledger.waiting()]


def account(*waiting: Waiting, moved: int = 0) -> Receipt:
    """Return an account of always the same number of records: whoever is left over is erased."""
    made = receipt(1, *([line(IE, moved)] if moved else []), waiting=waiting)
    return replace(made, erased=READ - made.read, read=READ)


def decided(ledger: Ledger, verdict: Verdict, *positions: int) -> Quarantined:
    """Commit orphans of one batch, and decide about them by number."""
    held(ledger)(account(waits(Reason.ORPHAN, *positions, region=IE)))
    (entry,) = ledger.waiting()
    ledger.decide([entry.id], verdict, "ada", "known")
    return entry


def read_again(ledger: Ledger, *waiting: Waiting, moved: int = 0) -> None:
    """Commit the same batch with another account."""
    again = account(*waiting, moved=moved)
    ledger.reopen([again.batch])
    held(ledger, f"again/{[entry.positions for entry in waiting]}")(again)


class LedgerDecisionsContract(ABC):
    @pytest.fixture
    @abstractmethod
    def ledger(self) -> Ledger:
        """Return an empty ledger."""

    @pytest.mark.parametrize("verdict", VERDICTS)
    def test_records_that_nobody_saw_are_another_entry_that_nobody_decided(
        self, ledger: Ledger, verdict: Verdict
    ) -> None:
        entry = decided(ledger, verdict, 1, 4, 6)
        read_again(ledger, waits(Reason.ORPHAN, 1, 5, region=IE))
        assert told(ledger) == [(2, (1, 5), Verdict.OPEN, None)]
        assert ledger.entry(entry.id) is None
        assert ledger.reopened([piece_id(1)]) == frozenset()

    def test_a_number_is_never_about_records_that_came_after_it_was_shown(
        self, ledger: Ledger
    ) -> None:
        entry = decided(ledger, Verdict.OPEN, 1, 4, 6)
        read_again(ledger, waits(Reason.ORPHAN, 1, 5, 6, region=IE))
        assert ledger.decide([entry.id], Verdict.DROP, "ada", "three, as I saw") == 0
        assert told(ledger) == [(3, (1, 5, 6), Verdict.OPEN, None)]

    @pytest.mark.parametrize("verdict", VERDICTS)
    def test_fewer_of_the_records_stay_decided(self, ledger: Ledger, verdict: Verdict) -> None:
        entry = decided(ledger, verdict, 1, 4, 6)
        read_again(ledger, waits(Reason.ORPHAN, 6, 1, region=IE))
        assert told(ledger) == [(2, (6, 1), verdict, "ada")]
        assert ledger.entry(entry.id) is not None

    def test_a_release_remembers_its_records_when_none_of_them_waits(self, ledger: Ledger) -> None:
        entry = decided(ledger, Verdict.RELEASE, 1, 4, 6)
        moved = replace(waits(Reason.ORPHAN, 1, 4, 6, region=IE), rows=0)
        read_again(ledger, moved, moved=3)
        assert told(ledger) == [(0, (1, 4, 6), Verdict.RELEASE, "ada")]
        assert ledger.reopened([piece_id(1)]) == frozenset()
        read_again(ledger, waits(Reason.ORPHAN, 4, 7, region=IE), moved=3)
        assert told(ledger) == [(2, (4, 7), Verdict.OPEN, None)]
        assert ledger.entry(entry.id) is None

    @pytest.mark.parametrize("verdict", VERDICTS)
    def test_a_rule_holds_for_records_that_come_later(
        self, ledger: Ledger, verdict: Verdict
    ) -> None:
        decided(ledger, Verdict.OPEN, 1, 4, 6)
        ledger.rule(POSTS, Reason.ORPHAN, verdict, "bob")
        read_again(ledger, waits(Reason.ORPHAN, 1, 5, region=IE))
        assert told(ledger) == [(2, (1, 5), verdict, "bob")]

    def test_a_rule_that_was_taken_back_holds_for_what_it_decided_alone(
        self, ledger: Ledger
    ) -> None:
        decided(ledger, Verdict.OPEN, 1, 4, 6)
        ledger.rule(POSTS, Reason.ORPHAN, Verdict.DROP, "bob")
        ledger.rule(POSTS, Reason.ORPHAN, Verdict.OPEN, "bob")
        read_again(ledger, waits(Reason.ORPHAN, 1, 4, region=IE))
        assert told(ledger) == [(2, (1, 4), Verdict.DROP, "bob")]
        read_again(ledger, waits(Reason.ORPHAN, 1, 5, region=IE))
        assert told(ledger) == [(2, (1, 5), Verdict.OPEN, None)]
