from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import delete, select, text

from connectors.sql import outbox
from connectors.sql.leases import hold
from connectors.sql.ledger import SqlLedger, open_ledger
from connectors.sql.seal import AesGcmSeal, Seal
from connectors.sql.tables import leases
from repatria.errors import (
    ConfigRefused,
    FenceLost,
    Refused,
    RepatriaError,
    Unbalanced,
    WriteRefused,
)
from repatria.finding import Grade
from repatria.ports.leases import Lease
from repatria.ports.ledger import Ledger
from tests.contract.ledger_claims_contract import LedgerClaimsContract
from tests.contract.ledger_contract import DE, IE, LedgerContract, held, line, piece_id, receipt
from tests.contract.ledger_decisions_contract import LedgerDecisionsContract
from tests.contract.ledger_versions_contract import LedgerVersionsContract
from tests.postgres import Postgres

KEY = bytes(range(32))


def made(server: Postgres, seal: Seal | None = None) -> str:
    """Make a database that holds an empty ledger; return its name."""
    name = server.database()
    open_ledger(server.url(name), create=True, seal=seal).close()
    return name


@pytest.fixture(scope="module")
def plain(postgres: Postgres) -> str:
    return made(postgres)


@pytest.fixture(scope="module")
def sealed(postgres: Postgres) -> str:
    return made(postgres, AesGcmSeal(KEY))


@pytest.fixture
def url(postgres: Postgres, plain: str) -> str:
    """The URL of a ledger that holds nothing."""
    postgres.empty(plain)
    return postgres.url(plain)


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    with open_ledger(url) as found:
        yield found


class TestPostgresqlLedger(
    LedgerContract, LedgerClaimsContract, LedgerDecisionsContract, LedgerVersionsContract
):
    """Sealed, as every live one is."""

    @pytest.fixture
    def ledger(self, postgres: Postgres, sealed: str) -> Iterator[Ledger]:
        postgres.empty(sealed)
        with open_ledger(postgres.url(sealed), seal=AesGcmSeal(KEY)) as found:
            yield found


def _waits(server: Postgres) -> bool:
    """Say whether somebody waits for a lock that another holds."""
    found = server.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return bool(found)


@contextmanager
def waiting(server: Postgres, work: Callable[[], object]) -> Iterator[list[object]]:
    """Begin ``work`` in a thread, and go on when it waits for a lock; it ends with the block."""
    came_to: list[object] = []

    def run() -> None:
        try:
            came_to.append(work())
        except RepatriaError as error:
            came_to.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not _waits(server):
        assert came_to == [], "it waits for nobody"
    yield came_to
    thread.join()


def test_a_lease_cannot_be_taken_between_the_fence_and_the_commit(
    ledger: SqlLedger, url: str, postgres: Postgres
) -> None:
    mine = ledger.take("a/1", "me", None)
    assert mine is not None
    with open_ledger(url) as other:
        with ExitStack() as stack, ledger._store.writing_beside() as connection:
            hold(connection, mine)
            taken = stack.enter_context(
                waiting(postgres, lambda: other.take("a/1", "you", (mine.fence, 0)))
            )
            assert taken == []
        assert taken == [Lease("a/1", "you", mine.fence + 1)]
        with pytest.raises(FenceLost):
            ledger.commit(receipt(1, line(IE, 1)), mine, [])


def test_who_claims_waits_for_nobody_who_is_deciding(ledger: SqlLedger, url: str) -> None:
    with open_ledger(url) as other:
        assert other.claim(["a/1"], "you") is not None
        with ledger._store.writing_beside() as connection:
            row = select(leases).where(leases.c.name == "a/2").with_for_update()
            other.release(other.claim(["a/2"], "you") or Lease("", "", 0))
            connection.execute(row).one()
            claimed = other.claim(["a/1", "a/2", "a/3"], "you")
    assert claimed == Lease("a/3", "you", 1)


def test_an_entry_is_not_passed_over_while_one_before_it_is_on_its_way(
    ledger: SqlLedger, url: str, postgres: Postgres
) -> None:
    with open_ledger(url) as other, ExitStack() as stack:
        with ledger._store.writing_beside() as connection:
            outbox.append(connection, [b"first"])
            held(other)(receipt(1, line(IE, 1)))
            read = stack.enter_context(waiting(postgres, lambda: other.entries(0, 9)))
            assert read == []
        stack.close()
        assert [body for _, body in read[0]] == [  # type: ignore[attr-defined]
            b"first",
            f"entry of {receipt(1).batch}".encode(),
        ]


def _commit_many(address: str, worker: int, start: Barrier) -> None:
    """Commit batches of one's own, and fight with the others over the version of another."""
    with open_ledger(address) as ledger:
        start.wait()
        lease = ledger.claim([f"stripe/{number}" for number in range(8)], str(worker))
        assert lease is not None
        for number in range(15):
            mine = receipt(worker * 100 + number, line(IE, 1), line(DE, 2))
            ledger.commit(mine, lease, [f"{mine.batch}".encode()])
            ours = receipt(9, line(IE, 1, replaced=number), version=f"v{worker}")
            with suppress(FenceLost, Unbalanced):  # Another was quicker, with another version.
                ledger.commit(ours, lease, [f"{number} {ours.batch}".encode()], _standing(ledger))
            ledger.attempt(piece_id(7), "v1")


def _standing(ledger: SqlLedger) -> str | None:
    return next((name.version for name in ledger.committed([piece_id(9)])), None)


def test_processes_that_commit_at_once_neither_lose_nor_double_nor_stop_each_other(
    ledger: SqlLedger, url: str
) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    workers = [spawn.Process(target=_commit_many, args=(url, n, start)) for n in range(1, 4)]
    for worker in workers:
        worker.start()
    seen: list[int] = []
    start.wait()
    while any(worker.is_alive() for worker in workers):
        seen += [number for number, _ in ledger.entries(seen[-1] if seen else 0, 7)]
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 3
    while more := ledger.entries(seen[-1], 100):
        seen += [number for number, _ in more]
    assert seen == [number for number, _ in ledger.entries(0, 1000)], "none was passed over"
    assert len([r for r in ledger.receipts() if r.batch.slice != piece_id(9)]) == 45
    assert len(ledger.committed([piece_id(9)])) == 1
    assert ledger.attempt(piece_id(7), "v1") == 46
    assert len({ledger.look(f"stripe/{number}") for number in range(3)}) == 3


def test_two_who_make_one_ledger_at_once_take_turns(postgres: Postgres) -> None:
    name = postgres.database()
    ids: list[str] = []

    def make() -> None:
        with open_ledger(postgres.url(name), create=True) as made_:
            ids.append(made_.id)

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_what_is_read_only_is_so_for_the_server_too(url: str) -> None:
    with open_ledger(url, read_only=True) as reader:
        assert list(reader.receipts()) == []
        assert reader.entries(0, 9) == []
        with pytest.raises(WriteRefused):
            reader.attempt(piece_id(1), "v1")
        with pytest.raises(Refused, match="read-only"), reader._store.reading() as connection:
            connection.execute(delete(leases))


def test_where_there_is_no_ledger_it_says_what_to_do(postgres: Postgres, url: str) -> None:
    empty = postgres.database()
    with pytest.raises(Refused, match="repatria init"):
        open_ledger(postgres.url(empty))
    postgres.execute("CREATE TABLE customers (name text)", empty)
    with pytest.raises(ConfigRefused, match="something else"):
        open_ledger(postgres.url(empty), create=True)
    with pytest.raises(Refused, match="no such database"):
        open_ledger(postgres.url("nowhere"))
    with pytest.raises(Refused, match="credentials"):
        open_ledger(url.replace("repatria@", "nobody@"))


def test_the_mark_of_a_writer_goes_with_it(url: str, postgres: Postgres, plain: str) -> None:
    with open_ledger(url) as ledger:
        ledger.attempt(piece_id(1), "v1")
        assert postgres.execute("SELECT number FROM marks", plain) == [(1,)]
    assert postgres.execute("SELECT number FROM marks", plain) == []


def test_a_server_that_does_not_wait_for_its_disk_is_made_to(url: str) -> None:
    """The server of these tests commits asynchronously, as some do by default."""
    with open_ledger(url) as ledger, ledger._store.reading() as connection:
        told = connection.execute(text("SHOW synchronous_commit")).scalar_one()
    assert told == "on"


def test_a_server_that_could_lose_what_it_was_told_is_found_ill(url: str) -> None:
    """The server of these tests does not wait for its disk at all."""
    with open_ledger(url, read_only=True) as ledger:
        found = {finding.about: finding.grade for finding in ledger.examined()}
    assert found == {
        "ledger: server": Grade.WELL,
        "ledger: fsync": Grade.ILL,
        "ledger: full_page_writes": Grade.ILL,
    }
