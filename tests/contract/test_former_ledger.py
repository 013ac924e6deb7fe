"""A ledger of an earlier schema is refused, then brought up to date, and tells what it told."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from connectors.memory.ledger import MemoryLedger
from connectors.sql import schema
from connectors.sql.ledger import SqlLedger, open_ledger
from connectors.sql.schema import REVISIONS
from repatria.errors import ConfigRefused, Refused
from tests.contract.former_ledger import fill, told
from tests.contract.ledger_contract import IE, held, line, receipt
from tests.postgres import Postgres

VECTORS = Path(__file__).parents[1] / "vectors"
FORMER = f"ledger-{REVISIONS[-2]}"
"""The schema before this; `tests.contract.dump_ledger` writes the next one's."""


def _upgrade_and_die(url: str, *, committed: bool) -> None:
    stepped = schema._run_alembic

    def step(connection: Connection) -> None:
        stepped(connection)
        if not committed:
            os.kill(os.getpid(), signal.SIGKILL)

    schema._run_alembic = step
    open_ledger(url, create=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _shape(ledger: SqlLedger) -> dict[str, object]:
    """Return the tables as their database knows them, in no order."""
    with ledger._store.reading() as connection:
        found = inspect(connection)
        return {
            name: (
                sorted(
                    (it["name"], str(it["type"]), it["nullable"]) for it in found.get_columns(name)
                ),
                found.get_pk_constraint(name)["constrained_columns"],
                sorted(str(it["column_names"]) for it in found.get_unique_constraints(name)),
                sorted(str(it["constrained_columns"]) for it in found.get_foreign_keys(name)),
            )
            for name in found.get_table_names()
        }


class Former(ABC):
    @pytest.fixture
    @abstractmethod
    def url(self) -> str:
        """Return where a ledger of the former schema stands."""

    @abstractmethod
    def loaded(self, name: str) -> str:
        """Load a dump, and return where it stands now."""

    @abstractmethod
    def fresh(self) -> str:
        """Return where a ledger can be made."""

    @abstractmethod
    def edit(self, url: str, statement: str) -> None:
        """Run a statement on a ledger, past us."""

    def test_it_is_refused_with_what_to_do_until_it_is_brought_up_to_date(self, url: str) -> None:
        for read_only in (False, True):
            with pytest.raises(Refused, match="repatria init") as caught:
                open_ledger(url, read_only=read_only)
            assert f"schema={REVISIONS[-2]}" in str(caught.value)
        open_ledger(url, create=True).close()
        open_ledger(url, read_only=True).close()

    def test_what_it_held_reads_as_before(self, url: str) -> None:
        model = MemoryLedger()
        fill(model)
        with open_ledger(url, create=True) as ledger:
            assert told(ledger) == told(model)
        with open_ledger(url, create=True) as again:
            assert told(again) == told(model)

    @pytest.mark.parametrize("revision", REVISIONS[:-2])
    def test_so_does_an_older_one(self, revision: str) -> None:
        model = MemoryLedger()
        fill(model)
        with open_ledger(self.loaded(f"ledger-{revision}"), create=True) as ledger:
            assert told(ledger) == told(model)

    def test_it_is_then_as_a_new_one_and_goes_on(self, url: str) -> None:
        with (
            open_ledger(url, create=True) as ledger,
            open_ledger(self.fresh(), create=True) as new,
        ):
            assert _shape(ledger) == _shape(new)
            held(ledger, "live/aaaa/1")(receipt(7, line(IE, 3)))
            numbers = [number for number, _ in ledger.entries(0, 99)]
            assert numbers == sorted(set(numbers))
            assert ledger.claim(["live/aaaa/0", "live/aaaa/2"], "me") is not None

    @pytest.mark.parametrize("committed", [False, True])
    def test_killed_in_the_middle_it_is_the_former_or_the_new(
        self, url: str, *, committed: bool
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(
            target=_upgrade_and_die, args=(url,), kwargs={"committed": committed}
        )
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        if not committed:
            with pytest.raises(Refused, match="older"):
                open_ledger(url)
        model = MemoryLedger()
        fill(model)
        with open_ledger(url, create=not committed) as ledger:
            assert told(ledger) == told(model)

    def test_a_newer_one_is_refused_even_by_init(self, url: str) -> None:
        open_ledger(url, create=True).close()
        self.edit(url, "UPDATE alembic_version SET version_num = '9999'")
        for create in (False, True):
            with pytest.raises(ConfigRefused, match="newer"):
                open_ledger(url, create=create)


class TestFormerSqliteLedger(Former):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path

    @pytest.fixture
    def url(self, folder: None) -> str:
        return self.loaded(FORMER)

    def loaded(self, name: str) -> str:
        connection = sqlite3.connect(self.path / f"{name}.db")
        connection.executescript((VECTORS / name / "sqlite.sql").read_text("utf-8"))
        connection.close()
        return f"sqlite:///{self.path}/{name}.db"

    def fresh(self) -> str:
        return f"sqlite:///{self.path}/new.db"

    def edit(self, url: str, statement: str) -> None:
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        with connection:
            connection.execute(statement)
        connection.close()


class TestFormerPostgresqlLedger(Former):
    @pytest.fixture(autouse=True)
    def server(self, postgres: Postgres) -> None:
        self.postgres = postgres

    @pytest.fixture
    def url(self, server: None) -> str:
        return self.loaded(FORMER)

    def loaded(self, name: str) -> str:
        self.name = self.postgres.database()
        self.postgres.load(VECTORS / name / "postgresql.sql", self.name)
        return self.postgres.url(self.name)

    def fresh(self) -> str:
        return self.postgres.url(self.postgres.database())

    def edit(self, url: str, statement: str) -> None:
        self.postgres.execute(statement, self.name)


def test_every_schema_there_has_been_stands_as_a_dump() -> None:
    dumps = sorted(path.name for path in VECTORS.glob("ledger-*"))
    assert dumps == [f"ledger-{revision}" for revision in REVISIONS[:-1]]
