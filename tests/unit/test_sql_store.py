from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.schema import CreateTable

from connectors.sql import migrations
from connectors.sql.dialects import code_of, parsed, told
from connectors.sql.examined import Server, findings
from connectors.sql.ledger import open_ledger
from connectors.sql.schema import REVISIONS, standing
from connectors.sql.seal import AesGcmSeal
from connectors.sql.store import meaning
from connectors.sql.tables import metadata
from repatria.errors import ConfigRefused, Refused, Transient
from repatria.finding import Grade


class _PostgresError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("Key (user)=(ada) already exists")
        self.sqlstate = sqlstate


class _LiteError(sqlite3.OperationalError):
    def __init__(self, name: str) -> None:
        super().__init__("database is secret")
        self.sqlite_errorname = name


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (_LiteError("SQLITE_BUSY"), Transient),
        (_LiteError("SQLITE_BUSY_SNAPSHOT"), Transient),
        (_LiteError("SQLITE_LOCKED"), Transient),
        (_LiteError("SQLITE_FULL"), Refused),
        (_LiteError("SQLITE_READONLY_DBMOVED"), Refused),
        (_LiteError("SQLITE_CORRUPT"), Refused),
        (_LiteError("SQLITE_NOTADB"), Refused),
        (_LiteError("SQLITE_IOERR_FSYNC"), Refused),
        (_LiteError("SQLITE_ERROR"), AssertionError),
        (_PostgresError("08006"), Transient),
        (_PostgresError("40001"), Transient),
        (_PostgresError("53300"), Transient),
        (_PostgresError("57014"), Transient),
        (_PostgresError("58030"), Refused),
        (_PostgresError("XX001"), Refused),
        (_PostgresError("57P01"), Transient),
        (_PostgresError("53100"), Refused),
        (_PostgresError("25006"), Refused),
        (_PostgresError("28P01"), Refused),
        (_PostgresError("42P01"), AssertionError),
        (_PostgresError(""), Transient),
    ],
)
def test_each_failure_of_a_database_is_sorted_by_what_to_do(
    cause: Exception, expected: type[Exception]
) -> None:
    found = meaning(OperationalError("SELECT secret", {"user": "ada"}, cause))
    assert type(found) is expected
    assert "secret" not in str(found)
    assert "ada" not in str(found)


def test_no_free_connection_is_transient_and_a_broken_rule_is_a_bug() -> None:
    assert isinstance(meaning(NoConnection()), Transient)
    assert isinstance(meaning(InterfaceError("", {}, _PostgresError(""))), Transient)
    assert isinstance(meaning(IntegrityError("", {}, _PostgresError("23505"))), AssertionError)
    assert isinstance(meaning(SQLAlchemyError()), AssertionError)


def test_the_newest_schema_passes_and_every_other_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connectors.sql.schema.REVISIONS", ("0001", "0002"))
    standing("0002")
    with pytest.raises(ConfigRefused, match="newer"):
        standing("0003")
    for older in ("0001", None):
        with pytest.raises(Refused, match="repatria init") as caught:
            standing(older)
        assert not isinstance(caught.value, ConfigRefused)


def test_the_versions_that_are_known_are_those_that_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    config.set_main_option("path_separator", "os")
    found = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(step.revision for step in found)[::-1] == REVISIONS


def test_the_steps_lead_to_the_tables(tmp_path: Path) -> None:
    open_ledger(f"sqlite:///{tmp_path}/l.db", create=True).close()
    raw = sqlite3.connect(tmp_path / "l.db")
    stepped = dict(raw.execute(_SHAPE).fetchall())
    raw.close()
    straight = sqlite3.connect(":memory:")
    engine = create_engine("sqlite://", creator=lambda: straight)
    metadata.create_all(engine)
    assert {name: _columns(text) for name, text in stepped.items()} == {
        name: _columns(text) for name, text in straight.execute(_SHAPE)
    }
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    straight.close()


_SHAPE = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND instr(name, '_') = 0"


def _columns(text: str) -> list[str]:
    """Return the parts of a table's definition, in any order and spacing."""
    parts = text.replace(",", "\n").splitlines()
    return sorted(told for part in parts if (told := " ".join(part.split())))


def test_every_table_can_be_made_in_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = {
        table.name: str(CreateTable(table).compile(dialect=dialect))
        for table in metadata.sorted_tables
    }
    assert "BIGSERIAL" in made["accounts"]
    assert 'slice VARCHAR COLLATE "C"' in made["comparisons"]
    assert "BYTEA" in made["lines"]


@pytest.mark.parametrize("text", ["nonsense", "mysql://h/d", "sqlite://", "sqlite:///:memory:"])
def test_what_cannot_be_a_ledger_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused):
        parsed(text)


def test_a_password_is_never_told() -> None:
    assert "tulip" not in told(parsed("postgresql://ada:tulip@h/d"))
    with pytest.raises(ConfigRefused) as caught:
        open_ledger("postgresql+nosuch://ada:tulip@h/d")
    assert "tulip" not in str(caught.value)


GOOD = Server(
    version=150_008,
    encoding="UTF8",
    replica=False,
    fsync="on",
    full_page_writes="on",
    far=True,
    tls=True,
)


@pytest.mark.parametrize(
    ("server", "about", "grade"),
    [
        (replace(GOOD, version=120_004), "ledger: server", Grade.CARE),
        (replace(GOOD, encoding="SQL_ASCII"), "ledger: encoding", Grade.ILL),
        (replace(GOOD, replica=True), "ledger: role", Grade.ILL),
        (replace(GOOD, fsync="off"), "ledger: fsync", Grade.ILL),
        (replace(GOOD, full_page_writes="off"), "ledger: full_page_writes", Grade.ILL),
        (replace(GOOD, tls=False), "ledger: connection", Grade.CARE),
    ],
)
def test_what_a_server_should_not_be_is_found(server: Server, about: str, grade: Grade) -> None:
    assert [it.about for it in findings(GOOD) if it.grade is not Grade.WELL] == []
    worse = [it for it in findings(server) if it.grade is not Grade.WELL]
    assert [(it.about, it.grade) for it in worse] == [(about, grade)]
    assert worse[0].means, "it says what to do"


def test_a_driver_is_chosen_where_none_is_named_and_its_absence_is_told() -> None:
    assert parsed("postgresql://h/d").drivername == "postgresql+psycopg"
    with pytest.raises(ConfigRefused, match=r"install repatria\[postgresql\]"):
        open_ledger("postgresql+nosuch://h/d")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('FATAL:  password authentication failed for user "ada"', "28P01"),
        ("fe_sendauth: no password supplied", "28P01"),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4"', "28000"),
        ('FATAL:  role "ada" does not exist', "28000"),
        ('FATAL:  database "ledger" does not exist', "3D000"),
        ("FATAL:  the database system is starting up", ""),
        ("connection refused", ""),
    ],
)
def test_a_refusal_at_the_door_is_known_from_a_server_that_is_away(said: str, code: str) -> None:
    assert code_of(Exception(f"connection failed: {said}\n")) == code


def test_a_seal_never_seals_alike_and_notices_every_change() -> None:
    seal = AesGcmSeal(bytes(32))
    one, two = seal.seal(b"key"), seal.seal(b"key")
    assert one != two
    assert seal.open(one) == seal.open(two) == b"key"
    for place in range(len(one)):
        broken = bytearray(one)
        broken[place] ^= 1
        with pytest.raises(ConfigRefused):
            seal.open(bytes(broken))
    assert "0000" not in repr(seal)
