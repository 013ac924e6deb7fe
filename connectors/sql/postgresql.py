"""PostgreSQL: how it is reached, and how those who write in it keep out of each other's way.

One lock of the database's own (``ALL``) is shared by the many writers of the hot path and taken
alone by the few who look at many rows before they write: plans, decisions, the schema. Writers
that share it lock the rows that they decide by, in one order: the lease, then the slice. Numbers
that the outbox gave to writers who have not committed yet must not be passed over, so that whoever
lists entries takes the lock alone for a moment first: then no number below those that can be seen
is still to come. A commit waits for the disk with no lock that others want, so that the server can
make many of them durable at once.

A server ends what a lost client left open after ``IDLE_S``, and no statement or lock is waited for
longer than its limit.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select, true
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

ALL: Final = 0x5265_7061
SLICES: Final = 0x5265_7073
CONNECT_S: Final = 10
LOCK_S: Final = 30
STATEMENT_S: Final = 120
IDLE_S: Final = 60
POOL: Final = 8
POOL_MORE: Final = 56

LOCKS: Final = "repatria_locks"
"""The option of a connection that says how its transactions lock: a value of ``_BEGIN``."""

_BEGIN: Final = {
    "alone": func.pg_advisory_xact_lock,
    "beside": func.pg_advisory_xact_lock_shared,
    "settled": func.pg_advisory_xact_lock,
}
_LIMITS: Final = {
    "lock_timeout": f"{LOCK_S}s",
    "statement_timeout": f"{STATEMENT_S}s",
    "idle_in_transaction_session_timeout": f"{IDLE_S}s",
}
_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'"
)
"""What was committed is on disk, whatever the server does by default; stronger is left alone."""
_DOORS: Final = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ("authentication failed", "28000"),
    ("role ", "28000"),
    ("database ", "3D000"),
)
"""What the server says at its door, where a driver is told no SQLSTATE. Untranslated only."""


def engine_on(url: URL, *, read_only: bool) -> Engine:
    """Return an engine that has not connected yet. The driver may be absent."""
    engine = create_engine(
        url,
        pool_size=POOL,
        max_overflow=POOL_MORE,
        pool_pre_ping=True,
        pool_timeout=LOCK_S,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        connect_args=_arguments(url, read_only=read_only),
    )
    event.listen(engine, "connect", _make_durable)
    event.listen(engine, "begin", _begin)
    return engine


def lock_slice(connection: Connection, piece: str) -> None:
    """Let nobody else write receipts of this slice until this transaction has ended."""
    if connection.dialect.name == "postgresql":
        number = zlib.crc32(piece.encode()) - 2**31
        connection.execute(select(func.pg_advisory_xact_lock(SLICES, number)))


def wait_as_long_as_it_takes(connection: Connection) -> None:
    """Let the statements of this transaction last: a step of the schema may rewrite a table."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("statement_timeout", "0", true())))


def refused_at_the_door(told: str) -> str:
    """Return the SQLSTATE of a refusal to connect, or an empty text for any other failure."""
    if "FATAL:" not in told and "fe_sendauth" not in told:
        return ""
    ends = told.rstrip().endswith(("does not exist", "permitted to log in"))
    for words, code in _DOORS:
        if words in told and (ends or not words.endswith(" ")):
            return code
    return ""


def _arguments(url: URL, *, read_only: bool) -> dict[str, Any]:
    limits = dict(_LIMITS)
    if read_only:
        limits["default_transaction_read_only"] = "on"
    ours = {
        "application_name": "repatria",
        "connect_timeout": str(CONNECT_S),
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": str(IDLE_S * 1000),
    }
    given = {name: value for name, value in ours.items() if name not in url.query}
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    theirs = url.query.get("options", "")
    return {**given, "options": f"{options} {theirs}".strip()}


def _make_durable(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(_DURABLE)
    cursor.close()
    connection.commit()


def _begin(connection: Connection) -> None:
    how = connection.get_execution_options().get(LOCKS)
    if how is not None:
        connection.execute(select(_BEGIN[how](ALL)))
