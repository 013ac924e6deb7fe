"""What SQLite and PostgreSQL do differently: connecting, beginning, inserting, failing.

A transaction that writes in SQLite is alone from its first statement on, so that a fence checked
in it still holds when it commits, and numbers of entries become visible in their order; what
PostgreSQL does to that end stands in ``postgresql``. SQLite runs with a write-ahead log, waits for
the disk at each commit (``synchronous=FULL``), and waits ``BUSY_MS`` at most for others.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from connectors.sql.postgresql import LOCKS, POOL, POOL_MORE, engine_on, refused_at_the_door
from repatria.errors import ConfigRefused

BUSY_MS: Final = 30_000
DRIVER: Final = "postgresql+psycopg"
_CACHE_KIB: Final = 32_768

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def parsed(text: str) -> URL:
    """Read the URL of a ledger. Raises ``ConfigRefused``; never repeats a password."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ConfigRefused("the ledger's URL is not one, such as sqlite:///ledger.db") from error
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigRefused("a ledger is sqlite:///… or postgresql://…", url=told(url))
    if is_sqlite(url) and (url.database or ":memory:") == ":memory:":
        raise ConfigRefused("a ledger needs a file: one in memory would forget", url=told(url))
    return url.set(drivername=DRIVER) if url.drivername == "postgresql" else url


def told(url: URL) -> str:
    """Write a URL for a message, without its password."""
    return url.render_as_string(hide_password=True)


def is_sqlite(url: URL) -> bool:
    """Say whether the ledger is a file."""
    return url.get_backend_name() == "sqlite"


def engine_for(url: URL, *, create: bool, read_only: bool) -> Engine:
    """Return an engine that has not connected yet. Raises ``ConfigRefused`` without a driver."""
    if is_sqlite(url):
        return _sqlite(Path(str(url.database)), create=create, read_only=read_only)
    try:
        return engine_on(url, read_only=read_only)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ConfigRefused(
            "the driver for this ledger is not installed; install repatria[postgresql]",
            url=told(url),
        ) from error


def insert_into(connection: Connection, table: Table) -> Insert:
    """Return an insert that can say what to do on conflict."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def snapshot(engine: Engine) -> Engine:
    """Return the engine on which several reads of one transaction see one state."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _sqlite(path: Path, *, create: bool, read_only: bool) -> Engine:
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    mode = "ro" if read_only else "rwc" if create else "rw"
    address = f"file:{quote(str(path))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        found = sqlite3.connect(
            address,
            uri=True,
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        _prepare(found, create=create, read_only=read_only)
        return found

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=POOL,
        max_overflow=POOL_MORE,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare(connection: sqlite3.Connection, *, create: bool, read_only: bool) -> None:
    if create:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    if read_only:
        connection.execute("PRAGMA query_only=ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(LOCKS) in {"alone", "beside"}
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def code_of(error: BaseException | None) -> str:
    """Return a driver's own code: ``SQLITE_BUSY``, or an SQLSTATE such as ``53100``."""
    found: Any = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return str(found) if found else refused_at_the_door(str(error))
