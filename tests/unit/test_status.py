"""Status: what the ledger knows, in sums, and as JSON tells it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from connectors.memory.ledger import MemoryLedger
from repatria.batch import Reason
from repatria.names import PlanDigest, RegionName, RunId
from repatria.plan import Plan
from repatria.ports.ledger import (
    PROCESS,
    Comparison,
    Failure,
    FailureKind,
    Run,
    RunState,
    Verdict,
)
from repatria.receipt import BatchName, Line, Receipt, Waiting
from repatria.status import gather, told
from repatria.stored import ObjectVersion
from repatria.verify import ANY
from tests.people import DE, DUBLIN, IE, NO, PROFILES, T0, US, piece

PLAN = Plan(
    digest=PlanDigest("d" * 64),
    config_digest="c",
    datasets=(PROFILES.name,),
    regions=(IE.name,),
    directories={},
    reconciled={},
    stripe_count=0,
    slice_count=0,
    bytes=0,
    made_at=T0,
    expires_at=T0 + timedelta(hours=1),
    estimates={"datasets": {"profiles": {"regions": {"IE": 40, "DE": 7}}}},
)
NAME = BatchName(piece().id, 0, "v1")
LINE = Line(
    region=IE.name,
    site=DUBLIN.name,
    rows=3,
    object=ObjectVersion("k", 9, "e"),
    sha256="0" * 64,
    digest="c0:3:" + "0" * 32,
)
RECEIPT = Receipt(
    batch=NAME,
    dataset=PROFILES.name,
    site=US.name,
    last=True,
    read=6,
    census={IE.name: 3},
    erased=0,
    superseded=0,
    waiting=(
        Waiting(reason=Reason.NO_USER, region=None, rows=1, positions=(7,)),
        Waiting(reason=Reason.ORPHAN, region=IE.name, rows=2, positions=(8, 9)),
    ),
    lines=(LINE,),
    decisions="a:b",
    bytes_read=100,
)


def moved() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.save_plan(PLAN, [])
    lease = ledger.take("stripe", "a", None)
    assert lease is not None
    ledger.commit(RECEIPT, lease, [])
    return ledger


def ran(verb: str, **named: object) -> Run:
    return replace(
        Run(
            id=RunId(verb),
            verb=verb,
            mode="live",
            plan=PLAN.digest,
            config_digest="c",
            began_at=T0,
        ),
        **named,  # type: ignore[arg-type]
    )


def compared(region: RegionName, **counts: int) -> Comparison:
    return Comparison(batch=NAME, dataset=PROFILES.name, region=region, **counts)  # type: ignore[arg-type]


def test_an_empty_ledger_has_nothing_to_tell_and_says_so() -> None:
    status = gather(MemoryLedger(), T0)
    told_of = (status.plan, status.run, status.verification, status.rows_per_s)
    assert told_of == (None, None, None, None)
    assert told(status)["cells"] == []


def test_what_moved_stands_beside_what_is_expected() -> None:
    cells = {cell.region: cell for cell in gather(moved(), T0).cells}
    assert (cells[IE.name].rows, cells[IE.name].bytes, cells[IE.name].expected) == (3, 9, 40)
    assert (cells[DE.name].rows, cells[DE.name].expected) == (0, 7)
    assert cells[IE.name].verified is None, "not verified is not zero"


def test_what_waits_is_told_by_reason_and_region_and_what_was_dropped_apart() -> None:
    ledger = moved()
    status = gather(ledger, T0)
    assert status.waiting == {
        (PROFILES.name, "no-user", "?"): 1,
        (PROFILES.name, "orphan", "IE"): 2,
    }
    ledger.rule(PROFILES.name, Reason.ORPHAN, Verdict.DROP, "ann")
    status = gather(ledger, T0)
    assert (sum(status.waiting.values()), status.dropped) == (1, 2)


def test_only_the_newest_verification_counts() -> None:
    ledger = moved()
    for number, matched in enumerate((1, 3)):
        run = ran("verify", id=RunId(f"verify-{number}"))
        ledger.begin(run)
        ledger.save_comparisons(run.id, [compared(IE.name, matched=matched)])
    (cell,) = [cell for cell in gather(ledger, T0).cells if cell.region == IE.name]
    assert cell.verified == 3


def test_a_difference_is_told_though_nothing_moved_and_nothing_was_expected() -> None:
    ledger = moved()
    ledger.begin(ran("verify"))
    found = [
        compared(NO.name, matched=0, missing=5),
        compared(ANY, matched=0, unverified=1),
    ]
    ledger.save_comparisons(RunId("verify"), found)
    status = gather(ledger, T0)
    assert {cell.region: cell.differing for cell in status.cells}[NO.name] == 5
    assert status.unverified == 1
    assert ANY not in {cell.region for cell in status.cells}


def test_the_rate_is_of_the_newest_move() -> None:
    ledger = moved()
    ledger.begin(ran("migrate"))
    assert gather(ledger, T0 + timedelta(seconds=3)).rows_per_s is None, "not told yet"
    ledger.end(RunId("migrate"), RunState.COMPLETE, T0 + timedelta(seconds=4), {"read": 10})
    assert gather(ledger, T0 + timedelta(days=1)).rows_per_s == 2.5


def test_a_rate_over_no_time_is_not_known() -> None:
    ledger = moved()
    ledger.begin(ran("migrate"))
    ledger.end(RunId("migrate"), RunState.COMPLETE, T0, {"read": 10})
    assert gather(ledger, T0).rows_per_s is None


def test_the_newest_move_ended_or_not_is_told_and_a_rehearsal_is_not_it() -> None:
    ledger = moved()
    ledger.begin(ran("migrate"))
    ledger.begin(ran("rehearse"))
    status = gather(ledger, T0)
    assert status.run is not None
    assert (status.run.verb, status.run.state) == ("migrate", RunState.RUNNING)


def test_everything_can_be_written_as_json() -> None:
    ledger = moved()
    ledger.begin(ran("migrate"))
    ledger.begin(ran("verify"))
    ledger.save_comparisons(RunId("verify"), [compared(IE.name, matched=3)])
    ledger.failed(
        Failure(
            slice=piece().id,
            version="v1",
            dataset=PROFILES.name,
            site=US.name,
            label="a.parquet at us-east",
            kind=FailureKind.STALE,
            why="changed",
        )
    )
    found = json.loads(json.dumps(told(gather(ledger, T0))))
    assert found["plan"]["digest"] == PLAN.digest
    assert found["failures"][0]["kind"] == "stale"
    assert found["quarantine"][0] == {
        "dataset": "profiles",
        "reason": "no-user",
        "region": "?",
        "rows": 1,
    }
    assert found["run"]["state"] == "running"


def test_a_run_whose_process_is_known_to_be_dead_is_told_and_no_other() -> None:
    ledger = moved()
    ledger.begin(ran("migrate", summary={PROCESS: "this/1/1"}))
    assert not gather(ledger, T0).gone, "nobody knows"
    assert not gather(ledger, T0, lambda _: False).gone
    assert gather(ledger, T0, lambda holder: holder == "this/1/1").gone
    ledger.end(RunId("migrate"), RunState.COMPLETE, T0, {})
    assert not gather(ledger, T0, lambda _: True).gone, "it has ended"


def test_a_run_that_does_not_name_its_process_is_not_called_dead() -> None:
    ledger = moved()
    ledger.begin(ran("migrate"))
    assert not gather(ledger, T0, lambda holder: holder != "").gone
