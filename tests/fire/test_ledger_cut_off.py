"""The wire to the ledger's server is cut around a commit: what happened, happened once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from random import Random

import pytest

from connectors.memory.ledger import MemoryLedger
from connectors.memory.rules import MemoryClock
from connectors.sql.ledger import SqlLedger, open_ledger
from connectors.sql.patience import Unsettled, Until
from repatria.batch import Reason
from repatria.errors import Transient
from repatria.names import RunId
from repatria.ports.ledger import Ledger, Run, RunState, Verdict
from tests.contract.ledger_contract import IE, NOON, held, line, piece_id, plan, receipt, waits
from tests.fire.ledger_wire import Cut, LedgerWire
from tests.postgres import USER, Postgres

RUN = Run(id=RunId("run"), verb="migrate", mode="live", plan=None, config_digest="c", began_at=NOON)


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    name = postgres.database()
    open_ledger(postgres.url(name), create=True).close()
    return name


@pytest.fixture
def wire(postgres: Postgres, database: str) -> Iterator[LedgerWire]:
    postgres.empty(database)
    found = LedgerWire(postgres.folder)
    yield found
    found.stop()


@pytest.fixture
def ledger(wire: LedgerWire, database: str) -> Iterator[SqlLedger]:
    patience = Until(300, MemoryClock(), Random(1))
    with open_ledger(url(wire, database), patience=patience) as found:
        yield found


def url(wire: LedgerWire, database: str) -> str:
    return f"postgresql://{USER}@/{database}?host={wire.folder}"


def _decided(ledger: Ledger) -> object:
    entry = next(ledger.waiting())
    return ledger.decide([entry.id], Verdict.DROP, "ada", "so"), next(ledger.waiting()).verdict


def _committed(ledger: Ledger) -> object:
    lease = ledger.claim(["a/2"], "me")
    assert lease is not None
    ledger.commit(receipt(2, line(IE, 1)), lease, [b"two"])
    ledger.finish_stripe(plan().digest, 1, lease)
    return list(ledger.receipts()), ledger.entries(0, 9)[-1][1], ledger.stripes_done(plan().digest)


def _ran(ledger: Ledger) -> object:
    ledger.begin(RUN)
    ledger.end(RUN.id, RunState.STOPPED, NOON, {"moved": 1})
    return ledger.runs()


_CALLS: list[tuple[str, Callable[[Ledger], object]]] = [
    ("attempt", lambda ledger: [ledger.attempt(piece_id(1), "v1") for _ in range(2)]),
    ("take", lambda ledger: (ledger.take("a/3", "me", None), ledger.take("a/3", "you", None))),
    ("claim", lambda ledger: [ledger.claim(["a/3", "a/4"], "me") for _ in range(3)]),
    ("commit", _committed),
    ("decide", _decided),
    ("reopen", lambda ledger: ledger.reopen([receipt(1).batch])),
    ("cutting", lambda ledger: ledger.fix_cutting(plan().datasets[0], "{}")),
    ("run", _ran),
]


@pytest.mark.parametrize("cut", [Cut.LOST, Cut.PERSISTED])
@pytest.mark.parametrize(("name", "call"), _CALLS, ids=[name for name, _ in _CALLS])
def test_a_call_whose_commit_was_cut_off_has_happened_once(
    ledger: SqlLedger, wire: LedgerWire, cut: Cut, name: str, call: Callable[[Ledger], object]
) -> None:
    model = MemoryLedger()
    for each in (model, ledger):
        held(each)(receipt(1, line(IE, 1), waiting=(waits(Reason.ORPHAN, 1),)))
    wire.arm(cut)
    assert call(ledger) == call(model)
    assert wire.cuts == 1, f"{name} committed"


def test_a_commit_that_is_still_on_its_way_is_waited_for(
    ledger: SqlLedger, wire: LedgerWire, postgres: Postgres
) -> None:
    """The server has not heard of it yet, so that it stands nowhere, and will."""
    ledger.attempt(piece_id(2), "v1")
    wire.arm(Cut.LATE)
    counted: list[int] = []
    worker = threading.Thread(target=lambda: counted.append(ledger.attempt(piece_id(1), "v1")))
    worker.start()
    waits_for_it = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not postgres.execute(waits_for_it):
        assert counted == []
    wire.late.set()
    worker.join()
    assert counted == [1]
    assert ledger.attempt(piece_id(1), "v1") == 2


def test_where_nobody_can_be_asked_the_end_is_unsettled_and_not_repeated(
    ledger: SqlLedger, wire: LedgerWire
) -> None:
    ledger.attempt(piece_id(2), "v1")
    wire.arm(Cut.PERSISTED, then_away=True)
    with pytest.raises(Unsettled):
        ledger.attempt(piece_id(1), "v1")
    wire.away = False
    assert ledger.attempt(piece_id(1), "v1") == 2, "it had happened, once"


def test_a_server_that_is_away_for_a_while_is_waited_for(wire: LedgerWire, database: str) -> None:
    wire.away = True

    class Returning(MemoryClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            wire.away = self.monotonic() < 60

    clock = Returning()
    with open_ledger(url(wire, database), patience=Until(300, clock, Random(1))) as ledger:
        assert ledger.attempt(piece_id(1), "v1") == 1
    assert 60 < clock.monotonic() < 300


def test_a_server_that_stays_away_is_given_up_after_the_time_that_was_set(
    wire: LedgerWire, database: str
) -> None:
    wire.away = True
    clock = MemoryClock()
    with pytest.raises(Transient, match="busy or away"):
        open_ledger(url(wire, database), patience=Until(60, clock, Random(1)))
    assert 30 < clock.monotonic() <= 60
