"""What a decoder is about to see is counted before it sees a byte of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from repatria.errors import Transient
from tests.scenario.enclave import of_notes

READS = frozenset({"head", "read", "stream"})


def test_an_attempt_stands_in_the_ledger_before_its_object_is_read(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"))
    plan = enclave.plan()
    campaign = enclave.campaign(plan)
    campaign.begin()
    before = len(enclave.world.told)
    campaign.run_stripe(0, enclave.watch)
    told = enclave.world.told[before:]
    first = min(place for place, name in enumerate(told) if name in READS)
    assert told.index("attempt") < first


def test_where_it_cannot_be_counted_nothing_is_read(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"))
    campaign = enclave.campaign(enclave.plan())
    campaign.begin()
    enclave.ledger.attempt = _away  # type: ignore[method-assign, assignment]
    before = enclave.us.count("read") + enclave.us.count("stream")
    with pytest.raises(Transient):
        campaign.run_stripe(0, enclave.watch)
    assert enclave.us.count("read") + enclave.us.count("stream") == before


def _away(*_: object) -> int:
    raise Transient("the ledger is away")
