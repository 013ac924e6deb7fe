"""A migration remembered by a real database ends as one remembered in memory, whatever breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from connectors.sql.ledger import SqlLedger, open_ledger
from repatria.campaign import Ending
from repatria.errors import Transient
from repatria.plan import Plan
from repatria.ports.ledger import RunState
from tests.postgres import Postgres
from tests.scenario.enclave import Enclave, of_notes
from tests.scenario.simulator import Fault, World

BREAKS = 29
"""So many calls of ports on from the last one that broke, the next attempt breaks."""


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlLedger]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/ledger.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.url(server.database())
    with open_ledger(url, create=True) as found:
        yield found


def filled(folder: Path) -> Enclave:
    enclave = of_notes(folder)
    for number in range(6):
        rows = [(f"i{number}", "IE"), (f"n{number}", "NO"), (f"q{number}", "ZZ")]
        enclave.note(f"{number}.jsonl", *rows)
    return enclave


def migrated(enclave: Enclave, plan: Plan, fault: Fault) -> tuple[Ending, int]:
    """Begin anew after each call that broke, further on each time; return how it ended."""
    for broken in count():
        enclave.world = World(fail_at=broken * BREAKS, fault=fault)
        with suppress(Transient):
            return enclave.migrate(plan), broken
    raise AssertionError("it never ends")


@pytest.mark.parametrize("fault", list(Fault))
def test_it_ends_as_in_memory_whichever_call_was_lost(
    tmp_path: Path, ledger: SqlLedger, fault: Fault
) -> None:
    model = filled(tmp_path / "model")
    wanted = model.migrate(model.plan())
    enclave = filled(tmp_path / "real")
    enclave.ledger = ledger  # type: ignore[assignment]
    plan = enclave.plan()
    ending, broken = migrated(enclave, plan, fault)
    assert broken > 1
    assert (ending.state, ending.waiting) == (RunState.INCOMPLETE, wanted.waiting)
    assert enclave.arrived() == model.arrived() == enclave.trusted()
    assert ledger.accounts() == model.ledger.accounts()
    assert ledger.moved() == model.ledger.moved()
    assert len(ledger.entries(0, 99)) == len(model.ledger.entries(0, 99))
    assert all(found.matched and not found.missing for found in enclave.verify(plan))
