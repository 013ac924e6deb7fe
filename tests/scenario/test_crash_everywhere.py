"""Whatever call fails, and however, the next attempt finishes the same work.

The expected end is written by hand from the rules, not taken from a run.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from repatria.errors import Transient
from repatria.names import RegionName
from repatria.ports.ledger import RunState
from tests.scenario.enclave import Enclave
from tests.scenario.simulator import Fault, World

HOMES = {"IE": RegionName("IE"), "DE": RegionName("DE"), "NO": RegionName("NO")}
COUNTRIES = ["IE", "DE", "US", "NO", "BR", "IE", None, "ZZ"]


def expected() -> Counter[tuple[str, RegionName, str]]:
    """What must stand at home: every resolvable European record once, and nothing else.

    ``u100`` is newer in the backup; ``u101`` has equal versions and unequal content, so that it
    waits; ``lost`` stands in the backup alone; posts of ``u160`` and later name nobody.
    """
    found: Counter[tuple[str, RegionName, str]] = Counter()
    for n in range(160):
        country = COUNTRIES[n % 8]
        if n == 100:
            found["profiles", HOMES["IE"], "u100@3"] += 1
        elif n != 101 and country in HOMES:
            found["profiles", HOMES[country], f"u{n:03}@2"] += 1
    for post in range(400):
        user = post % 170
        country = COUNTRIES[user % 8] if user < 160 else None
        if country in HOMES:
            found["posts", HOMES[country], str(post)] += 1
    return found


def attempts(enclave: Enclave, limit: int = 6) -> int:
    """Start again until it ends; return how many attempts it took."""
    for attempt in range(1, limit):
        try:
            ending = enclave.migrate(enclave.plan())
        except Transient:
            continue
        assert ending.state is RunState.INCOMPLETE, "a bad object and quarantine are never green"
        assert len(ending.failures) == 1
        assert ending.audit.unfinished == 1, "the bad object"
        return attempt
    raise AssertionError("it never ended")


def calls_in_a_clean_run(folder: Path) -> list[str]:
    enclave = Enclave(folder)
    enclave.fill()
    assert attempts(enclave) == 1
    assert enclave.arrived() == expected()
    return enclave.world.told


def test_a_clean_run_moves_what_the_rules_say(tmp_path: Path) -> None:
    calls_in_a_clean_run(tmp_path)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("part", range(8))
def test_restart_finishes_the_work(tmp_path: Path, fault: Fault, part: int) -> None:
    """Each call of the run fails in turn; the parts only share them out."""
    for fail_at in range(part, len(calls_in_a_clean_run(tmp_path)), 8):
        enclave = Enclave(tmp_path, world=World(fail_at=fail_at, fault=fault))
        enclave.fill()
        assert attempts(enclave) == 2, enclave.world.told[fail_at]
        assert enclave.arrived() == expected(), enclave.world.told[fail_at]
        receipts = list(enclave.ledger.receipts())
        assert all(receipt.checked() for receipt in receipts)
        told = [entry for _, entry in enclave.ledger.entries(0, 10_000)]
        assert len(told) == len(set(told)) == len(receipts), "each batch is told once"


def test_no_committed_batch_is_put_again(tmp_path: Path) -> None:
    enclave = Enclave(tmp_path)
    enclave.fill()
    attempts(enclave)
    before = enclave.dublin.count("put"), enclave.hamar.count("put")
    attempts(enclave)
    assert (enclave.dublin.count("put"), enclave.hamar.count("put")) == before


def test_verification_agrees_with_the_rules(tmp_path: Path) -> None:
    enclave = Enclave(tmp_path)
    enclave.fill()
    plan = enclave.plan()
    enclave.migrate(plan)
    found = enclave.verify(plan)
    assert sum(one.matched for one in found) == sum(expected().values())
    assert sum(one.missing + one.extra + one.altered for one in found) == 0
    assert [one.unverified for one in found if one.unverified] == [1], "the bad object"
