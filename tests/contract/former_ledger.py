"""What a ledger held when its schema was another: the same calls on any ledger make the same."""

from __future__ import annotations

from repatria.batch import Reason
from repatria.names import RunId
from repatria.ports.ledger import (
    Comparison,
    Failure,
    FailureKind,
    Ledger,
    Run,
    RunState,
    Verdict,
)
from tests.contract.ledger_contract import (
    DE,
    DUBLIN_2,
    IE,
    NOON,
    POSTS,
    US,
    held,
    line,
    piece_id,
    plan,
    receipt,
    stripe,
    waits,
)


def fill(ledger: Ledger) -> None:
    """Do a little of all that a ledger remembers."""
    ledger.save_config("c" * 64, "{}")
    ledger.fix_cutting(POSTS, '{"batch_bytes": 1}')
    ledger.save_plan(plan(), [stripe(0), stripe(1)])
    commit = held(ledger, "live/aaaa/0")
    orphans = (waits(Reason.ORPHAN, 1, 5, kept=True), waits(Reason.CONFLICT, 2, region=DE))
    commit(receipt(1, line(IE, 3), line(IE, 3, DUBLIN_2), waiting=orphans, erased=1))
    commit(receipt(2, line(IE, 2), line(DE, 1)))
    commit(receipt(2, line(DE, 4, replaced=1), ordinal=1))
    commit(receipt(3, line(IE, 1), version="v1"))
    commit(receipt(3, line(IE, 2, replaced=1), version="v2"))
    first, _ = list(ledger.waiting())
    ledger.decide([first.id], Verdict.RELEASE, "ada", "they are back")
    ledger.rule(POSTS, Reason.CONFLICT, Verdict.DROP, "bob")
    for _ in range(2):
        ledger.attempt(piece_id(8), "v1")
    ledger.failed(
        Failure(
            slice=piece_id(9),
            version="v1",
            dataset=POSTS,
            site=US,
            label="9.gz",
            kind=FailureKind.BAD,
            why="truncated",
        )
    )
    ledger.begin(
        Run(
            id=RunId("run-1"),
            verb="migrate",
            mode="live",
            plan=plan().digest,
            config_digest="c" * 64,
            began_at=NOON,
        )
    )
    ledger.end(RunId("run-1"), RunState.INCOMPLETE, NOON, {"read": 3})
    ledger.save_comparisons(
        RunId("run-2"),
        [Comparison(batch=receipt(1).batch, dataset=POSTS, region=IE, matched=2, missing=1)],
    )


def told(ledger: Ledger) -> dict[str, object]:
    """Return all that a ledger tells, but for its numbers of its own."""
    pieces = [piece_id(number) for number in range(10)]
    return {
        "config": ledger.config_text("c" * 64),
        "plans": list(ledger.plans()),
        "stripes": list(ledger.stripes(plan().digest)),
        "cutting": ledger.fix_cutting(POSTS, "another"),
        "lease": ledger.look("live/aaaa/0"),
        "receipts": list(ledger.receipts()),
        "reopened": ledger.reopened(pieces),
        "waiting": [(e.batch, e.reason, e.region, e.verdict, e.by) for e in ledger.waiting()],
        "rules": ledger.rules(),
        "failures": ledger.failures(),
        "runs": ledger.runs(),
        "compared": list(ledger.comparisons(RunId("run-2"))),
        "entries": [body for _, body in ledger.entries(0, 99)],
        "totals": (ledger.moved(), ledger.accounts()),
    }
