"""Whatever call fails, and however, the next attempt finishes the same work.

The expected end is written by hand from the rules, not taken from a run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from repatria.errors import Transient
from repatria.names import RegionName
from repatria.plan import Plan, Stripe
from repatria.ports.ledger import RunState
from tests.scenario.enclave import Arrivals, Enclave
from tests.scenario.simulator import Fault, World

HOMES = {"IE": RegionName("IE"), "DE": RegionName("DE"), "NO": RegionName("NO")}
COUNTRIES = ["IE", "DE", "US", "NO", "BR", "IE", None, "ZZ"]
PARTS = 4


def expected() -> Arrivals:
    """What must stand at home: every resolvable European record once, and nothing else.

    ``u100`` is newer in the backup, where it moved from BR to IE, and its post goes along;
    ``u101`` has equal versions and lives in IE or NO, so that it waits, and its post too;
    ``lost`` stands in the backup alone; posts of ``u160`` and later name nobody.
    """
    found: Arrivals = Counter()
    for n in range(160):
        country = COUNTRIES[n % 8]
        if n == 100:
            found["profiles", HOMES["IE"], "u100@3"] += 1
        elif n != 101 and country in HOMES:
            found["profiles", HOMES[country], f"u{n:03}@2"] += 1
    for post in range(160):
        country = "IE" if post == 100 else COUNTRIES[post % 8]
        if post != 101 and country in HOMES:
            found["posts", HOMES[country], str(post)] += 1
    return found


@dataclass(frozen=True)
class Clean:
    """A run in which nothing failed: its plan, its calls, and what stood at home in the end."""

    folder: Path
    plan: Plan
    stripes: tuple[Stripe, ...]
    planning: tuple[str, ...]
    moving: tuple[str, ...]
    standing: dict[str, str]
    writes: int

    def planned(self, world: World) -> Enclave:
        """Return the same world right after planning: the same plan over the same objects."""
        enclave = Enclave(self.folder, world=world)
        enclave.fill()
        enclave.ledger.save_plan(self.plan, self.stripes)
        return enclave


def writes(enclave: Enclave) -> int:
    """Count what was written at home, replaced objects too."""
    return enclave.dublin._writes + enclave.hamar._writes


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    enclave = Enclave(tmp_path_factory.mktemp("clean"))
    enclave.fill()
    plan = enclave.plan()
    planned = len(enclave.world.told)
    assert finished(enclave, plan) == 1
    return Clean(
        folder=enclave.folder,
        plan=plan,
        stripes=tuple(enclave.ledger.stripes(plan.digest)),
        planning=tuple(enclave.world.told[:planned]),
        moving=tuple(enclave.world.told[planned:]),
        standing=enclave.standing(),
        writes=writes(enclave),
    )


def finished(enclave: Enclave, plan: Plan, limit: int = 4) -> int:
    """Start again until it ends; return how many attempts it took."""
    for attempt in range(1, limit):
        try:
            ending = enclave.migrate(plan)
        except Transient:
            continue
        assert ending.state is RunState.INCOMPLETE, "a bad object and quarantine are never green"
        assert len(ending.failures) == 1
        assert ending.audit.unfinished == 1, "the bad object"
        return attempt
    raise AssertionError("it never ended")


def test_a_clean_run_moves_what_the_rules_say(tmp_path: Path) -> None:
    enclave = Enclave(tmp_path)
    enclave.fill()
    finished(enclave, enclave.plan())
    assert enclave.arrived() == enclave.trusted() == expected()


def test_the_clean_run_crosses_every_port(clean: Clean) -> None:
    """If a call is no longer made, the tests below prove less than they seem to."""
    assert {"list", "head", "tags", "read", "save_plan", "fix_cutting"} <= set(clean.planning)
    assert set(clean.moving) >= {
        *("observe", "begin", "stripe", "take", "committed", "reopened", "attempt", "head", "tags"),
        *("read", "stream", "put", "commit", "finished", "failed", "release", "finish_stripe"),
        *("receipts", "waiting", "list", "end"),
    }


@pytest.mark.parametrize("fault", Fault)
def test_planning_again_gives_the_same_plan(tmp_path: Path, clean: Clean, fault: Fault) -> None:
    for fail_at, call in enumerate(clean.planning):
        enclave = Enclave(tmp_path, world=World(fail_at=fail_at, fault=fault))
        enclave.fill()
        with pytest.raises(Transient):
            enclave.plan()
        plan = enclave.plan()
        assert plan.digest == clean.plan.digest, call
        assert tuple(enclave.ledger.stripes(plan.digest)) == clean.stripes, call


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("part", range(PARTS))
def test_moving_again_finishes_the_work(clean: Clean, fault: Fault, part: int) -> None:
    """Each call of the run fails in turn; the parts only share them out."""
    for fail_at in range(part, len(clean.moving), PARTS):
        call = clean.moving[fail_at]
        enclave = clean.planned(World(fail_at=fail_at, fault=fault))
        assert finished(enclave, clean.plan) == 2, call
        assert enclave.standing() == clean.standing, call
        assert writes(enclave) == clean.writes, f"{call}: nothing is written twice"
        receipts = list(enclave.ledger.receipts())
        assert all(receipt.checked() for receipt in receipts), call
        told = [entry for _, entry in enclave.ledger.entries(0, 10_000)]
        assert len(told) == len(set(told)) == len(receipts), f"{call}: each batch is told once"


def test_no_committed_batch_is_put_again(clean: Clean) -> None:
    enclave = clean.planned(World())
    finished(enclave, clean.plan)
    before = enclave.dublin.count("put"), enclave.hamar.count("put")
    finished(enclave, clean.plan)
    assert (enclave.dublin.count("put"), enclave.hamar.count("put")) == before


def test_verification_agrees_with_the_rules(clean: Clean) -> None:
    enclave = clean.planned(World())
    enclave.migrate(clean.plan)
    found = enclave.verify(clean.plan)
    assert sum(one.matched for one in found) == sum(expected().values())
    assert sum(one.missing + one.extra + one.altered for one in found) == 0
    assert [one.unverified for one in found if one.unverified] == [1], "the bad object"
