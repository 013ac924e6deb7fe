"""Regions that come later: only what they need is read again, and no committed line moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.memory.bucket import MemoryBucket
from repatria.names import RegionName
from repatria.ports.ledger import FailureKind, RunState
from tests.people import DE, IE, NO
from tests.scenario.enclave import Enclave, of_notes


def filled(folder: Path, **named: object) -> Enclave:
    enclave = of_notes(folder, **named)
    enclave.note("irish.jsonl", ("i1", "IE"), ("i2", "IE"))
    enclave.note("german.jsonl", ("g1", "DE"), ("u1", "US"))
    enclave.note("mixed.jsonl", ("i3", "IE"), ("n1", "NO"), ("b1", "BR"))
    enclave.note("far.jsonl", ("u2", "US"), ("b2", "BR"))
    return enclave


def read_of(bucket: MemoryBucket, since: int) -> set[str]:
    """Return the objects whose bytes were asked for, past the first ``since`` requests."""
    return {r.key for r in bucket.requests[since:] if r.operation in {"read", "stream"}}


def put_of(bucket: MemoryBucket, since: int) -> set[str]:
    return {r.key for r in bucket.requests[since:] if r.operation == "put"}


def test_only_batches_that_hold_the_new_regions_are_read_again(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    assert enclave.migrate(enclave.plan(IE)).state is RunState.COMPLETE
    before, plan = enclave.standing(), enclave.plan(IE, DE, NO)
    since, at_home = len(enclave.us.requests), len(enclave.dublin.requests)
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert read_of(enclave.us, since) == {"notes/german.jsonl", "notes/mixed.jsonl"}
    assert not any("region=IE" in key for key in put_of(enclave.dublin, at_home)), "lines stay"
    assert before.items() <= enclave.standing().items()


@pytest.mark.parametrize("steps", [(IE,), (DE, NO), (IE, DE)])
def test_region_by_region_comes_to_the_same_as_all_at_once(
    tmp_path: Path, steps: tuple[object, ...]
) -> None:
    at_once = filled(tmp_path)
    at_once.migrate(at_once.plan())
    later = filled(tmp_path)
    for regions in (steps, (DE, IE, NO)):
        assert later.migrate(later.plan(*regions)).state is RunState.COMPLETE  # type: ignore[arg-type]
    assert later.standing() == at_once.standing()
    assert later.trusted() == at_once.trusted() == later.arrived()


def test_an_atlas_that_grew_puts_only_what_it_newly_names(tmp_path: Path) -> None:
    """Every batch is read again, for only reading tells; what is decided as before stays put."""
    enclave = filled(tmp_path, regions=(IE,))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    before = enclave.standing()
    enclave.regions = (DE, IE, NO)
    plan, at_home = enclave.plan(), len(enclave.dublin.requests)
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert not any("region=IE/" in key for key in put_of(enclave.dublin, at_home))
    assert before.items() <= enclave.standing().items()
    at_once = filled(tmp_path)
    at_once.migrate(at_once.plan())
    assert enclave.standing() == at_once.standing()
    assert enclave.trusted() == at_once.trusted()


def test_a_grown_atlas_is_settled_once(tmp_path: Path) -> None:
    """Batches that were read under the new atlas are not read under it again."""
    enclave = filled(tmp_path, regions=(IE,))
    enclave.migrate(enclave.plan())
    enclave.regions = (DE, IE, NO)
    plan = enclave.plan()
    enclave.migrate(plan)
    since = len(enclave.us.requests)
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert read_of(enclave.us, since) == set()


def test_each_step_balances(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    for regions in ((IE,), (IE, DE), (IE, DE, NO)):
        enclave.migrate(enclave.plan(*regions))
        receipts = list(enclave.ledger.receipts())
        assert sum(receipt.checked().read for receipt in receipts) == 9
        moved = {
            RegionName(r.name): sum(c for k, c in enclave.trusted().items() if k[1] == r.name)
            for r in regions
        }
        assert sum(receipt.moved for receipt in receipts) == sum(moved.values())


def test_a_country_that_is_given_to_another_region_is_noticed(tmp_path: Path) -> None:
    """Its records stand where they no longer belong: nothing moves by itself, and it is told."""
    enclave = filled(tmp_path)
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    both = replace(IE, countries=frozenset({"IE", "DE"}))
    enclave.regions = (both, replace(DE, countries=frozenset({"AT"})), NO)
    before = enclave.standing()
    ending = enclave.migrate(enclave.plan())
    assert ending.state is RunState.INCOMPLETE
    assert {failure.kind for failure in ending.failures} == {FailureKind.CHANGED}
    assert enclave.standing() == before
