"""A second life: an object replaced, a region added, an orphan released; every call fails in turn.

These are the writes that replace something, so that a lost answer could cost a record.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from repatria.batch import Reason
from repatria.errors import Transient
from repatria.names import RegionName
from repatria.plan import Plan, Stripe
from repatria.ports.ledger import RunState, Verdict
from tests.people import DE, IE, PROFILES
from tests.scenario.enclave import Arrivals, Enclave
from tests.scenario.simulator import Fault, World
from tests.scenario.written import parquet_of


def expected() -> Arrivals:
    regions = {"i1": "IE", "i9": "IE", "g9": "DE", "g2": "DE", "o": "IE", "n": "NO"}
    return Counter({("profiles", RegionName(r), f"{user}@1"): 1 for user, r in regions.items()})


def first_life(folder: Path) -> Enclave:
    """Move two regions; then let the world change."""
    enclave = Enclave(folder, datasets={PROFILES.name: PROFILES})
    enclave.us.plant("profiles/a.parquet", parquet_of([("i1", "IE", 1), ("g1", "DE", 1)]))
    enclave.us.plant("profiles/b.parquet", parquet_of([("g2", "DE", 1), ("n", "NO", 1)]))
    enclave.singapore.plant("profiles/b.parquet", parquet_of([("o", "IE", 1)]))
    enclave.migrate(enclave.plan(IE, DE))
    later = [("i1", "IE", 1), ("i9", "IE", 1), ("g9", "DE", 1)]
    enclave.us.plant("profiles/a.parquet", parquet_of(later))
    enclave.ledger.rule(PROFILES.name, Reason.ORPHAN, Verdict.RELEASE, "ann")
    return enclave


@dataclass(frozen=True)
class Clean:
    folder: Path
    plan: Plan
    stripes: tuple[Stripe, ...]
    moving: tuple[str, ...]
    standing: dict[str, str]
    writes: int

    def planned(self, world: World) -> Enclave:
        enclave = first_life(self.folder / "first")
        enclave.folder = self.folder
        enclave.world = world
        enclave.ledger.save_plan(self.plan, self.stripes)
        return enclave


def writes(enclave: Enclave) -> int:
    return enclave.dublin._writes + enclave.hamar._writes


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    folder = tmp_path_factory.mktemp("amended")
    (folder / "first").mkdir()
    enclave = first_life(folder / "first")
    enclave.folder = folder
    plan = enclave.plan()
    planned = len(enclave.world.told)
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == expected()
    return Clean(
        folder=folder,
        plan=plan,
        stripes=tuple(enclave.ledger.stripes(plan.digest)),
        moving=tuple(enclave.world.told[planned:]),
        standing=enclave.standing(),
        writes=writes(enclave),
    )


@pytest.mark.parametrize("fault", Fault)
def test_whatever_fails_the_next_attempt_replaces_what_is_left(clean: Clean, fault: Fault) -> None:
    for fail_at, call in enumerate(clean.moving):
        enclave = clean.planned(World(fail_at=fail_at, fault=fault))
        with pytest.raises(Transient):
            enclave.migrate(clean.plan)
        assert enclave.migrate(clean.plan).state is RunState.COMPLETE, call
        assert enclave.standing() == clean.standing, call
        assert enclave.trusted() == expected(), call
        assert writes(enclave) == clean.writes, f"{call}: nothing is written twice"
        receipts = [receipt.checked() for receipt in enclave.ledger.receipts()]
        assert sum(receipt.moved for receipt in receipts) == sum(expected().values()), call


@pytest.mark.parametrize("fault", Fault)
def test_an_object_that_changes_again_after_the_crash_is_moved_as_it_is_now(
    clean: Clean, fault: Fault
) -> None:
    """What the crash left behind is nobody's, and must not stand in the way."""
    puts = [n for n, call in enumerate(clean.moving) if call in {"put", "commit"}]
    for fail_at in puts:
        enclave = clean.planned(World(fail_at=fail_at, fault=fault))
        with pytest.raises(Transient):
            enclave.migrate(clean.plan)
        enclave.world.fail_at = None
        again = [("i1", "IE", 1), ("g9", "DE", 1), ("g3", "DE", 1)]
        enclave.us.plant("profiles/a.parquet", parquet_of(again))
        assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE, fail_at
        wanted = expected() - Counter({("profiles", IE.name, "i9@1"): 1})
        wanted["profiles", DE.name, "g3@1"] += 1
        assert enclave.trusted() == enclave.arrived() == wanted, fail_at
