"""A rehearsal does what a live run does, up to the put, and changes nothing (law 8)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from repatria.campaign import Campaign
from repatria.ports.ledger import Ledger, Quarantined, RunState
from repatria.stripe import Tally
from tests.scenario.enclave import Enclave


def counts(tally: Tally) -> dict[str, int]:
    return {name: getattr(tally, name) for name in tally.__slots__}


def told_of(entry: Quarantined) -> dict[str, object]:
    """Return everything of an entry but where its records are kept."""
    facts = asdict(entry)
    del facts["id"], facts["kept"]
    return facts


def waiting(ledger: Ledger) -> list[dict[str, object]]:
    return sorted(map(told_of, ledger.waiting()), key=str)


def rehearsed(enclave: Enclave, campaign: Campaign) -> Tally:
    enclave.run(campaign)
    return enclave.tally


def test_it_writes_nothing_and_foretells_the_live_run(tmp_path: Path) -> None:
    enclave = Enclave(tmp_path)
    enclave.fill()
    plan = enclave.plan()
    campaign = enclave.rehearsal(plan)
    foretold = rehearsed(enclave, campaign)
    foretold_waiting = waiting(campaign.ledger)
    foretold_failures = campaign.ledger.failures()
    for bucket in (enclave.us, enclave.singapore, enclave.dublin, enclave.hamar):
        assert bucket.count("put") == bucket.count("probe") == 0
    assert list(enclave.dublin.list("")) == list(enclave.hamar.list("")) == []
    assert list(enclave.ledger.receipts()) == []
    assert enclave.ledger.runs() == []
    assert enclave.ledger.entries(0, 10) == []
    enclave.migrate(plan)
    assert counts(enclave.tally) == counts(foretold)
    assert waiting(enclave.ledger) == foretold_waiting
    assert enclave.ledger.failures() == foretold_failures
    assert sum(enclave.trusted().values()) == foretold.moved


def test_it_holds_nothing_back_when_it_ends(tmp_path: Path) -> None:
    """What would have been put is forgotten once it was read back: parcels, and what waits."""
    enclave = Enclave(tmp_path)
    enclave.fill()
    campaign = enclave.rehearsal(enclave.plan())
    campaign.begin()
    for stripe in campaign.plans.stripes(campaign.plan.digest):
        campaign.run_stripe(stripe.number, enclave.watch)
    shelves = [manifests._bucket for manifests in campaign.manifests.values()]  # type: ignore[attr-defined]
    assert [shelf.held_bytes for shelf in shelves] == [0, 0]


def test_after_a_live_run_it_has_the_same_to_tell_again(tmp_path: Path) -> None:
    """Its ledger is its own: it finds our parcels at home, and leaves them alone."""
    enclave = Enclave(tmp_path)
    enclave.fill()
    plan = enclave.plan()
    enclave.migrate(plan)
    live, before = counts(enclave.tally), enclave.standing()
    puts = enclave.dublin.count("put"), enclave.hamar.count("put")
    rehearsed(enclave, enclave.rehearsal(plan))
    assert counts(enclave.tally) == live
    assert enclave.standing() == before
    assert (enclave.dublin.count("put"), enclave.hamar.count("put")) == puts


def test_its_end_is_told_like_that_of_a_live_run(tmp_path: Path) -> None:
    enclave = Enclave(tmp_path)
    enclave.fill()
    plan = enclave.plan()
    foretold = enclave.run(enclave.rehearsal(plan))
    ended = enclave.migrate(plan)
    assert (foretold.state, foretold.waiting, foretold.audit) == (
        RunState.INCOMPLETE,
        ended.waiting,
        ended.audit,
    )
    assert [(m.region, m.parcels, m.rows) for m in foretold.manifests] == [
        (m.region, m.parcels, m.rows) for m in ended.manifests
    ]
