from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from connectors.sql.ledger import SqlLedger, open_ledger
from connectors.sql.seal import AesGcmSeal
from repatria.batch import Reason
from repatria.errors import ConfigRefused, FenceLost, Refused, Transient, WriteRefused
from repatria.ports.leases import Lease
from repatria.ports.ledger import Ledger
from tests.contract.ledger_claims_contract import LedgerClaimsContract
from tests.contract.ledger_contract import (
    DE,
    IE,
    LedgerContract,
    held,
    line,
    piece_id,
    plan,
    receipt,
    stripe,
    waits,
)
from tests.contract.ledger_decisions_contract import LedgerDecisionsContract
from tests.contract.ledger_versions_contract import LedgerVersionsContract

KEY = bytes(range(32))


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/a ledger?.db".replace("?", "%")


class TestSqlLedger(
    LedgerContract, LedgerClaimsContract, LedgerDecisionsContract, LedgerVersionsContract
):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        with open_ledger(url(tmp_path), create=True) as found:
            yield found


class TestSealedSqlLedger(
    LedgerContract, LedgerClaimsContract, LedgerDecisionsContract, LedgerVersionsContract
):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        with open_ledger(url(tmp_path), create=True, seal=AesGcmSeal(KEY)) as found:
            yield found


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    with open_ledger(url(tmp_path), create=True) as found:
        yield found


def _commit_many(address: str, worker: int, start: Barrier) -> None:
    with open_ledger(address) as ledger:
        commit = held(ledger, f"stripe/{worker}")
        start.wait()
        for number in range(30):
            commit(receipt(worker * 100 + number, line(IE, 1), line(DE, 2)))


def _commit_as_ghost(address: str, lease: Lease) -> None:
    with open_ledger(address) as ledger:
        try:
            ledger.commit(receipt(2, line(IE, 1)), lease, [b"ghost"])
        except FenceLost:
            os._exit(13)


def test_two_processes_commit_at_once_under_leases_of_their_own(
    ledger: SqlLedger, tmp_path: Path
) -> None:
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(2)
    workers = [
        spawn.Process(target=_commit_many, args=(url(tmp_path), worker, start)) for worker in (1, 2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert [(total.region, total.batches, total.rows) for total in ledger.moved()] == [
        (DE, 60, 120),
        (IE, 60, 60),
    ]
    assert len(ledger.entries(0, 100)) == 60


def test_a_process_that_lost_its_fence_commits_nothing(ledger: SqlLedger, tmp_path: Path) -> None:
    ghost = ledger.take("a/1", "ghost", None)
    assert ghost is not None
    ledger.commit(receipt(1, line(IE, 1)), ghost, [b"alive"])
    assert ledger.take("a/1", "me", (ghost.fence, 0)) is not None
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_commit_as_ghost, args=(url(tmp_path), ghost))
    process.start()
    process.join()
    assert process.exitcode == 13
    assert [found.batch.slice for found in ledger.receipts()] == [piece_id(1)]
    assert [entry for _, entry in ledger.entries(0, 9)] == [b"alive"]


def test_a_ledger_keeps_its_id_and_what_it_holds(ledger: SqlLedger, tmp_path: Path) -> None:
    held(ledger)(receipt(1, line(IE, 3)))
    with open_ledger(url(tmp_path), create=True) as again:
        assert again.id == ledger.id
        assert list(again.receipts()) == [receipt(1, line(IE, 3))]
    with open_ledger(f"sqlite:///{tmp_path}/other.db", create=True) as other:
        assert other.id != ledger.id


def test_where_there_is_no_ledger_nothing_is_made(tmp_path: Path) -> None:
    for read_only in (False, True):
        with pytest.raises(Refused, match="repatria init"):
            open_ledger(url(tmp_path), read_only=read_only)
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(Refused, match="repatria init"):
        open_ledger(f"sqlite:///{tmp_path}/empty.db")


def _edit(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "a ledger%.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_newer_ledger_is_refused_even_by_init(tmp_path: Path) -> None:
    open_ledger(url(tmp_path), create=True).close()
    _edit(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    for create in (False, True):
        with pytest.raises(ConfigRefused, match="newer"):
            open_ledger(url(tmp_path), create=create)


def test_a_database_of_somebody_else_is_not_taken_over(tmp_path: Path) -> None:
    _edit(tmp_path, "CREATE TABLE customers (name TEXT)")
    with pytest.raises(ConfigRefused, match="something else"):
        open_ledger(url(tmp_path), create=True)
    (tmp_path / "letter.db").write_text("Dear auditor, " * 100)
    with pytest.raises(Refused, match="no ledger"):
        open_ledger(f"sqlite:///{tmp_path}/letter.db")


def test_a_ledger_opened_to_be_read_cannot_be_written(ledger: SqlLedger, tmp_path: Path) -> None:
    held(ledger)(receipt(1, line(IE, 3)))
    with open_ledger(url(tmp_path), read_only=True) as reader:
        assert list(reader.receipts()) == [receipt(1, line(IE, 3))]
        with pytest.raises(WriteRefused):
            reader.attempt(piece_id(1), "v1")
        raw = reader._store.engine.raw_connection()
        for way_in in ("DELETE FROM lines", "PRAGMA query_only=OFF"):
            if way_in.startswith("PRAGMA"):
                raw.cursor().execute(way_in)
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                raw.cursor().execute("DELETE FROM lines")
        raw.close()


def test_keys_are_nowhere_in_the_file_of_a_sealed_ledger(tmp_path: Path) -> None:
    for name, seal, clear in (("sealed", AesGcmSeal(KEY), False), ("plain", None, True)):
        folder = tmp_path / name
        with open_ledger(f"sqlite:///{folder}/l.db", create=True, seal=seal) as ledger:
            waiting = (waits(Reason.ORPHAN, 1, kept=True),)
            held(ledger)(receipt(1, line(IE, 3), waiting=waiting, label=""))
            ledger.save_plan(plan(), [stripe(0), stripe(1)])
        held_bytes = b"".join(path.read_bytes() for path in folder.iterdir())
        assert (b"posts/region=" in held_bytes) is clear
        assert (b"_repatria/quarantine" in held_bytes) is clear


def test_the_wrong_key_or_none_or_one_too_many_is_refused(tmp_path: Path) -> None:
    sealed, plain = f"sqlite:///{tmp_path}/s.db", f"sqlite:///{tmp_path}/p.db"
    open_ledger(sealed, create=True, seal=AesGcmSeal(KEY)).close()
    open_ledger(plain, create=True).close()
    with pytest.raises(ConfigRefused, match="another key"):
        open_ledger(sealed, seal=AesGcmSeal(KEY[::-1]))
    with pytest.raises(ConfigRefused, match="sealed"):
        open_ledger(sealed)
    with pytest.raises(ConfigRefused, match="without a seal"):
        open_ledger(plain, seal=AesGcmSeal(KEY))


def test_every_commit_waits_for_the_disk_and_readers_never_wait_for_writers(
    ledger: SqlLedger,
) -> None:
    raw = ledger._store.engine.raw_connection()
    told = {
        name: raw.cursor().execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    raw.close()
    assert told == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
    with ledger._store.writing():
        assert list(ledger.receipts()) == []


def test_a_ledger_that_somebody_locks_is_transient(ledger: SqlLedger, tmp_path: Path) -> None:
    blocker = sqlite3.connect(tmp_path / "a ledger%.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    raw = ledger._store.engine.raw_connection()
    raw.cursor().execute("PRAGMA busy_timeout=0")
    raw.close()
    with pytest.raises(Transient):
        ledger.attempt(piece_id(1), "v1")
    blocker.execute("ROLLBACK")
    blocker.close()
    assert ledger.attempt(piece_id(1), "v1") == 1


def test_a_full_disk_is_refused_and_nothing_is_committed(ledger: SqlLedger) -> None:
    raw = ledger._store.engine.raw_connection()
    raw.cursor().execute("PRAGMA max_page_count=1")
    raw.close()
    commit = held(ledger)

    def fill() -> None:
        for number in range(1000):
            commit(receipt(number, line(IE, 1), line(DE, 1), label="x" * 900))

    with pytest.raises(Refused, match="disk of the ledger is full") as caught:
        fill()
    told = str(caught.value)
    assert "INSERT" not in told
    assert "posts" not in told
    whole = list(ledger.receipts())
    assert all(len(found.lines) == 2 for found in whole)
    assert len(ledger.entries(0, 2000)) == len(whole)


def test_a_commit_that_fails_in_its_middle_leaves_nothing_behind(ledger: SqlLedger) -> None:
    lease = ledger.take("a/1", "me", None)
    assert lease is not None
    no_entry: list[Any] = [b"told", None]
    with pytest.raises(TypeError):
        ledger.commit(receipt(1, line(IE, 1), line(DE, 2)), lease, no_entry)
    assert list(ledger.receipts()) == []
    assert ledger.moved() == []
    assert ledger.entries(0, 9) == []
