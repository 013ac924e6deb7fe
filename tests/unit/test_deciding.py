"""Decisions about quarantine: only what is sound is released, and a wide decision lasts."""

from __future__ import annotations

import pytest

from connectors.memory.ledger import MemoryLedger
from flows.deciding import Choice, NothingChosen, NotReleasable, drop, release, retry
from repatria.batch import Reason
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.ports.ledger import Failure, FailureKind, Ledger, Verdict
from repatria.receipt import BatchName, Receipt, Waiting

POSTS = DatasetName("posts")
BATCH = BatchName(SliceId("a" * 32), 0, "v1")


@pytest.fixture
def ledger() -> Ledger:
    """A ledger with two orphans and one malformed record."""
    made = MemoryLedger()
    lease = made.take("stripe", "somebody", None)
    assert lease is not None
    entries = ((Reason.ORPHAN, RegionName("IE"), 2), (Reason.MALFORMED, None, 1))
    waiting = tuple(
        Waiting(reason=reason, region=region, rows=rows, positions=tuple(range(rows)))
        for reason, region, rows in entries
    )
    receipt = Receipt(
        batch=BATCH,
        dataset=POSTS,
        site=SiteName("us-east"),
        last=True,
        read=3,
        census={},
        erased=0,
        superseded=0,
        waiting=waiting,
        lines=(),
        decisions="0" * 64,
        bytes_read=10,
    )
    made.commit(receipt, lease, ())
    return made


def verdicts(ledger: Ledger) -> dict[Reason, Verdict]:
    return {entry.reason: entry.verdict for entry in ledger.waiting()}


def number_of(ledger: Ledger, reason: Reason) -> int:
    return next(entry.id for entry in ledger.waiting() if entry.reason is reason)


def test_an_orphan_is_released_and_its_batch_read_again(ledger: Ledger) -> None:
    choice = Choice((number_of(ledger, Reason.ORPHAN),))
    assert release(ledger, choice, "ada", "lost").rows == 2
    assert verdicts(ledger)[Reason.ORPHAN] is Verdict.RELEASE
    assert ledger.reopened([BATCH.slice]) == {BATCH}
    assert ledger.rules() == {}


def test_what_is_unsound_is_never_released(ledger: Ledger) -> None:
    with pytest.raises(NotReleasable, match="malformed"):
        release(ledger, Choice(dataset="posts"), "ada", "please")
    assert set(verdicts(ledger).values()) == {Verdict.OPEN}


def test_a_decision_about_a_dataset_and_a_reason_lasts(ledger: Ledger) -> None:
    done = release(ledger, Choice(dataset="posts", reason="orphan"), "ada", "lost")
    assert done.lasting
    assert ledger.rules() == {(POSTS, Reason.ORPHAN): Verdict.RELEASE}
    entry = ledger.entry(number_of(ledger, Reason.ORPHAN))
    assert entry is not None
    assert (entry.by, entry.why) == ("ada", "lost")


def test_dropping_for_an_unsound_reason_decides_what_waits_and_nothing_later(
    ledger: Ledger,
) -> None:
    done = drop(ledger, Choice(dataset="posts", reason="malformed"), "ada", "test data")
    assert not done.lasting
    assert ledger.rules() == {}
    assert verdicts(ledger)[Reason.MALFORMED] is Verdict.DROP


def test_a_retry_takes_back_a_drop(ledger: Ledger) -> None:
    choice = Choice((number_of(ledger, Reason.MALFORMED),))
    drop(ledger, choice, "ada", "test data")
    retry(ledger, choice, "ada", "mended")
    assert verdicts(ledger)[Reason.MALFORMED] is Verdict.OPEN
    assert ledger.reopened([BATCH.slice]) == {BATCH}


@pytest.mark.parametrize(
    "choice",
    [
        Choice(),
        Choice((999,)),
        Choice(dataset="nobody"),
        Choice(dataset="posts", reason="no-such-reason"),
        Choice(reason="conflict"),
    ],
)
def test_a_choice_of_nothing_is_refused(ledger: Ledger, choice: Choice) -> None:
    with pytest.raises(NothingChosen):
        drop(ledger, choice, "ada", "because")


def test_poison_is_decoded_again_when_somebody_asks_for_it_by_name(ledger: Ledger) -> None:
    for number, kind in enumerate((FailureKind.POISON, FailureKind.BAD)):
        told = {"dataset": POSTS, "site": SiteName("us-east"), "label": "x", "why": "y"}
        piece = SliceId(f"{number:032x}")
        ledger.failed(Failure(slice=piece, version="v1", kind=kind, attempts=3, **told))  # type: ignore[arg-type]
    with pytest.raises(NothingChosen):
        retry(ledger, Choice(dataset="others", reason="poison"), "ada", "mended")
    assert retry(ledger, Choice(reason="poison"), "ada", "mended").objects == 1
    assert [failure.kind for failure in ledger.failures()] == [FailureKind.BAD]
    assert ledger.attempt(SliceId(f"{0:032x}"), "v1") == 1
