"""Two runs of one plan at once: they share its stripes, and neither disturbs the other."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from repatria.campaign import Campaign
from repatria.errors import Transient
from repatria.ports.ledger import RunState
from repatria.receipt import Receipt
from repatria.stripe import Tally, Watch
from tests.scenario.enclave import Enclave, of_notes

STRIPES = 4


def filled(folder: Path) -> Enclave:
    enclave = of_notes(folder)
    for number in range(2 * STRIPES):
        enclave.note(f"{number}.jsonl", (f"i{number}", "IE"), (f"n{number}", "NO"))
    return enclave


def among_the_living(campaign: Campaign) -> Campaign:
    """Let a run take nobody for dead."""
    return replace(campaign, tenancy=replace(campaign.tenancy, dead=lambda _: False))


def told(receipt: Receipt) -> tuple[object, ...]:
    """Return what a receipt says that does not depend on when its parcels were put."""
    lines = [(found.region, found.rows, found.sha256, found.digest) for found in receipt.lines]
    return receipt.batch.slice, receipt.read, receipt.census, receipt.decisions, lines


def worked(campaign: Campaign, watch: Watch, left: list[int]) -> list[tuple[int, Tally]]:
    """Offer what is left until nothing is, or all of it is in other hands."""
    done: list[tuple[int, Tally]] = []
    while left and (ran := campaign.run_next(left, watch)) is not None:
        left.remove(ran[0])
        done.append(ran)
    return done


def test_a_stripe_that_another_run_is_at_is_passed_over_and_met_again(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    plan = enclave.plan()
    assert plan.stripe_count == STRIPES
    one = among_the_living(enclave.campaign(plan))
    alive = enclave.ledger.take(f"live/{plan.digest[:16]}/0", "another run", None)
    assert alive is not None
    left = list(range(STRIPES))
    assert [number for number, _ in worked(one, enclave.watch, left)] == [1, 2, 3]
    assert left == [0]
    enclave.ledger.release(alive)
    assert [number for number, _ in worked(one, enclave.watch, left)] == [0]
    assert enclave.ledger.stripes_done(plan.digest) == set(range(STRIPES))


def test_the_stripe_of_a_dead_worker_is_the_next_one_at_once(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    plan = enclave.plan()
    assert enclave.ledger.take(f"live/{plan.digest[:16]}/2", "a dead worker", None) is not None
    before = enclave.clock.monotonic()
    left = list(range(STRIPES))
    done = worked(enclave.campaign(plan), enclave.watch, left)
    assert [number for number, _ in done] == [0, 1, 3, 2]
    assert enclave.clock.monotonic() == before, "nobody was waited for"


def test_two_runs_at_once_move_every_record_once_and_both_end_complete(tmp_path: Path) -> None:
    alone = filled(tmp_path / "alone")
    alone.migrate(alone.plan())
    enclave = filled(tmp_path / "shared")
    plan = enclave.plan()
    runs = [among_the_living(enclave.campaign(plan)) for _ in range(2)]
    together = threading.Barrier(2)
    moved = [Tally(), Tally()]

    def work(place: int) -> None:
        runs[place].begin()
        left = list(range(STRIPES))
        together.wait()
        while left:  # What the other holds is soon given back.
            for _, tally in worked(runs[place], enclave.watch, left):
                moved[place].add(tally)

    workers = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert moved[0].batches + moved[1].batches == 2 * STRIPES, "no batch was moved twice"
    assert [run.finish(tally).state for run, tally in zip(runs, moved, strict=True)] == [
        RunState.COMPLETE
    ] * 2
    assert enclave.arrived() == alone.arrived() == enclave.trusted()
    assert [told(receipt) for receipt in enclave.ledger.receipts()] == [
        told(receipt) for receipt in alone.ledger.receipts()
    ]


def test_a_claim_whose_work_fails_is_given_back_and_not_done(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    plan = enclave.plan()
    campaign = enclave.campaign(plan)
    enclave.dublin.put = _away  # type: ignore[method-assign,assignment]
    with pytest.raises(Transient):
        campaign.run_next([0], enclave.watch)
    assert enclave.ledger.look(f"live/{plan.digest[:16]}/0") is None
    assert enclave.ledger.stripes_done(plan.digest) == frozenset(), "nothing of it was done"


def _away(*_: object) -> None:
    raise Transient("away")
