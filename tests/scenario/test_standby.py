"""A region with a standby: two copies of every parcel, each verified, a manifest at each site."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from repatria.errors import ResidencyRefused
from repatria.ports.ledger import RunState
from repatria.stored import Observed
from tests.people import DUBLIN, HAMAR, IE
from tests.scenario.enclave import Enclave, of_notes

PAIRED = replace(IE, standby=HAMAR.name)


def filled(folder: Path, *, paired: bool = True) -> Enclave:
    enclave = of_notes(folder, regions=(PAIRED if paired else IE,))
    enclave.note("a.jsonl", ("i1", "IE"), ("u1", "US"))
    enclave.note("b.jsonl", ("i2", "IE"))
    return enclave


def test_both_sites_hold_every_parcel_and_a_manifest(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    ending = enclave.migrate(enclave.plan())
    assert ending.state is RunState.COMPLETE
    assert enclave.trusted(DUBLIN.name) == enclave.trusted(HAMAR.name)
    assert enclave.standing(DUBLIN.name) == enclave.standing(HAMAR.name)
    assert len(enclave.standing(HAMAR.name)) == 2
    assert [published.site for published in ending.manifests] == [DUBLIN.name, HAMAR.name]


def test_records_are_counted_once_though_they_stand_twice(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    enclave.migrate(enclave.plan())
    receipts = list(enclave.ledger.receipts())
    assert sum(receipt.checked().moved for receipt in receipts) == 2
    assert sum(len(receipt.lines) for receipt in receipts) == 4
    assert enclave.tally.moved == 2


def test_both_copies_are_verified(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    plan = enclave.plan()
    enclave.migrate(plan)
    enclave.hamar.forget("notes/region=IE/b.jsonl")
    found = enclave.verify(plan)
    assert sum(one.missing + one.altered for one in found) == 1, "the copy that is not there"


def test_a_standby_that_comes_later_gets_its_copies_and_home_is_left_alone(tmp_path: Path) -> None:
    enclave = filled(tmp_path, paired=False)
    enclave.migrate(enclave.plan())
    puts = enclave.dublin.count("put")
    enclave.regions = (PAIRED,)
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.dublin.count("put") == puts
    assert enclave.trusted(DUBLIN.name) == enclave.trusted(HAMAR.name)


@pytest.mark.parametrize("location", ["us-east-1", None])
def test_a_standby_that_is_elsewhere_gets_nothing(tmp_path: Path, location: str | None) -> None:
    enclave = filled(tmp_path)
    enclave.hamar._observed = Observed(endpoint="memory", location=location)
    with pytest.raises(ResidencyRefused):
        enclave.migrate(enclave.plan())
    assert enclave.hamar.count("put") == 0
    assert list(enclave.ledger.receipts()) == []
