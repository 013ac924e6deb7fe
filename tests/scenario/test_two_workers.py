"""Two workers at one stripe, and one worker who stops: what counts is counted once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repatria.errors import FenceLost, Stopped
from repatria.leasing import Tenancy
from repatria.ports.leases import Lease
from repatria.ports.ledger import RunState
from repatria.stored import ObjectVersion
from repatria.stripe import Watch
from tests.people import T0
from tests.scenario.enclave import LIMITS, Enclave, of_notes


def filled(folder: Path) -> Enclave:
    enclave = of_notes(folder)
    enclave.note("a.jsonl", ("i1", "IE"), ("g1", "DE"))
    enclave.note("b.jsonl", ("i2", "IE"))
    enclave.note("c.jsonl", ("n1", "NO"))
    return enclave


@contextmanager
def after_put(enclave: Enclave, happens: Callable[[], object]) -> Iterator[None]:
    """Let something happen once, right after the first parcel was put at Dublin."""
    put, waiting = enclave.dublin.put, [happens]

    def through(*given: Any) -> ObjectVersion:
        stored = put(*given)
        if waiting:
            waiting.pop()()
        return stored

    enclave.dublin.put = through  # type: ignore[method-assign,assignment]
    yield
    enclave.dublin.put = put  # type: ignore[method-assign]


def test_the_commit_of_the_older_worker_is_refused(tmp_path: Path) -> None:
    """The newer one takes over between the older one's put and its commit, and finishes."""
    enclave = filled(tmp_path)
    plan = enclave.plan()
    older, newer = enclave.campaign(plan), enclave.campaign(plan)
    older.begin()
    tallies = []

    def overtake() -> None:
        tallies.append(newer.run_stripe(0, Watch(enclave.heard, lambda: False)))

    with after_put(enclave, overtake), pytest.raises(FenceLost):
        older.run_stripe(0, Watch(enclave.heard, lambda: False))
    assert tallies[0].moved == 3
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived()
    assert sum(enclave.trusted().values()) == 4
    told = [entry for _, entry in enclave.ledger.entries(0, 100)]
    assert len(told) == 3, "each batch was committed by one worker alone"


def test_the_commit_is_refused_while_the_newer_one_is_still_at_work(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    plan = enclave.plan()
    campaign = enclave.campaign(plan)
    campaign.begin()
    name = f"live/{plan.digest[:16]}/0"
    newer = []

    def overtake() -> None:
        seen = enclave.ledger.look(name)
        assert seen is not None
        newer.append(enclave.ledger.take(name, "newer", seen[1:]))

    with after_put(enclave, overtake), pytest.raises(FenceLost):
        campaign.run_stripe(0, enclave.watch)
    assert list(enclave.ledger.receipts()) == []
    assert newer[0] is not None
    enclave.ledger.beat(newer[0])


def test_a_worker_who_lost_the_lease_does_not_finish_the_stripe(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    plan = enclave.plan()
    campaign = enclave.campaign(plan)
    campaign.begin()
    campaign.run_stripe(0, Watch(enclave.heard, lambda: False))
    with pytest.raises(FenceLost):
        enclave.ledger.finish_stripe(plan.digest, 1, Lease("live/0/1", "nobody", 7))
    assert enclave.ledger.stripes_done(plan.digest) == {0}


def stopped(enclave: Enclave, after: int) -> None:
    """Run until ``after`` batches were asked for, then ask it to stop."""
    asked = iter(range(1000))
    campaign = enclave.campaign(enclave.plan())
    with pytest.raises(Stopped):
        enclave.run(campaign, stopping=lambda: next(asked) >= after)
    campaign.stopped(enclave.tally, RunState.STOPPED, "Stopped")


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_stop_at_a_batch_boundary_is_consistent_and_is_carried_on(
    tmp_path: Path, after: int
) -> None:
    enclave = filled(tmp_path)
    stopped(enclave, after)
    receipts = list(enclave.ledger.receipts())
    assert len(receipts) == after, "what was begun was ended, and nothing else was begun"
    assert sum(receipt.checked().moved for receipt in receipts) == sum(enclave.arrived().values())
    assert enclave.ledger.runs()[0].state is RunState.STOPPED
    assert enclave.ledger.look(f"live/{enclave.plan().digest[:16]}/0") is None, "given back"
    puts = enclave.dublin.count("put") + enclave.hamar.count("put")
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived()
    parcels, manifests = 4, 3
    assert enclave.dublin.count("put") + enclave.hamar.count("put") == parcels + manifests
    assert puts <= parcels


def test_a_wall_clock_that_is_turned_takes_no_lease_from_anybody(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    mine = tenancy(enclave, "worker-a").hold("stripe")
    with mine as lease:
        for turned in (timedelta(days=400), timedelta(days=-400)):
            enclave.clock.turn(T0 + turned)
            enclave.ledger.beat(lease)
            with (
                pytest.raises(FenceLost),
                watched(enclave, lease),
                tenancy(enclave, "worker-b").hold("stripe"),
            ):
                pass
        enclave.ledger.beat(lease)


@contextmanager
def watched(enclave: Enclave, lease: Lease) -> Iterator[None]:
    """Let the holder beat each time a contender sleeps."""
    passing = enclave.clock.sleep

    def beating(seconds: float) -> None:
        enclave.ledger.beat(lease)
        passing(seconds)

    enclave.clock.sleep = beating  # type: ignore[method-assign]
    yield
    enclave.clock.sleep = passing  # type: ignore[method-assign]


def tenancy(enclave: Enclave, holder: str) -> Tenancy:
    return Tenancy(
        leases=enclave.ledger,
        holder=holder,
        clock=enclave.clock,
        lease_s=LIMITS.lease_s,
        dead=lambda _: False,
    )
