"""Attempts: what ends by itself is forgotten, and what ends without a word is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.memory.ledger import MemoryLedger
from repatria.attempt import UNSEEN, Attempt, poison
from repatria.errors import BadObject, Poison, Stopped
from repatria.ports.ledger import Failure, FailureKind
from repatria.stripe import failure
from tests.contract.ledger_contract import stripe

PIECE = stripe(0).slices[0]
MOST = 3


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def known(ledger: MemoryLedger) -> list[Failure]:
    return [told for told in ledger.failures() if told.slice == PIECE.id]


_NEVER_ENDED: list[object] = []
"""Attempts that stay as they are: one that is let go of ends."""


def killed(ledger: MemoryLedger, *, seen: bool) -> Attempt:
    """Begin an attempt that never ends, and let a witness tell of it."""
    attempt = Attempt(ledger, PIECE, MOST)
    block = attempt.begun(known(ledger))
    block.__enter__()
    _NEVER_ENDED.append(block)
    if seen:
        ledger.failed(failure(PIECE, poison(PIECE, 1)))
    return attempt


def ends(ledger: MemoryLedger, how: Exception | None = None) -> None:
    with Attempt(ledger, PIECE, MOST).begun(known(ledger)):
        if how is not None:
            raise how


@pytest.mark.parametrize("how", [BadObject("bad"), Stopped("stop"), OSError(), None], ids=repr)
def test_however_often_an_attempt_ends_by_itself_it_is_no_poison(
    ledger: MemoryLedger, how: Exception | None
) -> None:
    for _ in range(UNSEEN * MOST + 2):
        if how is None:
            ends(ledger)
            ledger.finished(PIECE.id, PIECE.version)
        else:
            with pytest.raises(type(how)):
                ends(ledger, how)
        if isinstance(how, BadObject):
            ledger.failed(failure(PIECE, how))
    assert ledger.attempt(PIECE.id, PIECE.version) <= 2


def test_three_ends_that_somebody_saw_are_enough(ledger: MemoryLedger) -> None:
    for _ in range(MOST):
        killed(ledger, seen=True)
    with pytest.raises(Poison):
        ends(ledger)
    assert known(ledger)[0].attempts == MOST


def test_ends_that_nobody_saw_weigh_a_fifth(ledger: MemoryLedger) -> None:
    for _ in range(UNSEEN * MOST):
        killed(ledger, seen=False)
    with pytest.raises(Poison):
        ends(ledger)


def test_another_version_begins_anew(ledger: MemoryLedger) -> None:
    for _ in range(MOST):
        killed(ledger, seen=True)
    other = replace(PIECE, object=replace(PIECE.object, version="another"))
    with Attempt(ledger, other, MOST).begun(known(ledger)):
        pass


def test_a_batch_that_is_committed_makes_it_the_first_attempt_again(ledger: MemoryLedger) -> None:
    for _ in range(MOST - 1):
        killed(ledger, seen=False)
    attempt = killed(ledger, seen=False)
    assert attempt.count == MOST
    attempt.progressed()
    assert attempt.count == 1
    assert ledger.attempt(PIECE.id, PIECE.version) == 2


def test_a_stop_leaves_the_deaths_that_were_seen(ledger: MemoryLedger) -> None:
    killed(ledger, seen=True)
    with pytest.raises(Stopped):
        ends(ledger, Stopped("as asked"))
    (told,) = known(ledger)
    assert (told.kind, told.attempts) == (FailureKind.POISON, 1)
