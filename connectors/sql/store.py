"""The database under the ledger: transactions, and what its failures mean.

What may pass is ``Transient`` (locked, disconnected, no connection free), what a person must
change is ``Refused`` (disk full, read-only, not a database, damaged). Anything else breaks a rule
of our own and is an assertion. No message tells SQL, a parameter or a password.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from connectors.sql.dialects import WRITES, code_of, snapshot
from connectors.sql.seal import Seal
from repatria.errors import Refused, RepatriaError, Transient, WriteRefused

PAGE: Final = 500
"""Rows of one page, and names in one question: many, and few enough for every database."""

_Item = TypeVar("_Item")

_AWAY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "08", "40", "55P03", "57P")
_NEEDS: Final = {
    "SQLITE_FULL": "the disk of the ledger is full; make room",
    "53100": "the disk of the ledger is full; make room",
    "SQLITE_READONLY": "the ledger may not be written; look at the permissions of its file",
    "25006": "the ledger may not be written; it is a read-only replica",
    "42501": "the ledger may not be written; look at the permissions of its role",
    "SQLITE_CANTOPEN": "the ledger cannot be opened; make one with `repatria init`",
    "SQLITE_PERM": "the ledger cannot be opened; look at the permissions of its file",
    "SQLITE_AUTH": "the ledger cannot be opened; look at the permissions of its file",
    "28": "the ledger cannot be opened; its credentials are refused",
    "3D000": "the ledger cannot be opened; there is no such database",
    "SQLITE_NOTADB": "this file is no ledger; look at the URL",
    "SQLITE_CORRUPT": "the ledger is damaged; restore it from its backup",
    "SQLITE_IOERR": "the disk of the ledger reports errors; look at the machine",
}


@dataclass(frozen=True, slots=True)
class Store:
    """An engine, the seal of its keys, and whether anything may be written."""

    engine: Engine
    seal: Seal
    read_only: bool = False
    _writer: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read one state of the ledger. Keep it short: pages, not iterators."""
        with translated(), snapshot(self.engine).begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write all or nothing, alone. Threads queue here; processes queue at the database."""
        if self.read_only:
            raise WriteRefused("the ledger was opened to be read only")
        alone = self.engine.execution_options(**{WRITES: True})
        with self._writer, translated(), alone.begin() as connection:
            yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Turn failures of the database into ours."""
    try:
        yield
    except SQLAlchemyError as error:
        raise meaning(error) from error


def meaning(error: SQLAlchemyError) -> RepatriaError | AssertionError:
    """Return what a failure of the database means for us."""
    if isinstance(error, NoConnection):
        return Transient("no connection to the ledger came free in time")
    if not isinstance(error, DBAPIError):
        return AssertionError(f"a statement of the ledger is wrong: {type(error).__name__}")
    code = code_of(error.orig)
    if error.connection_invalidated or code.startswith(_AWAY):
        return Transient("the ledger is busy or away", code=code)
    for start, told in _NEEDS.items():
        if code.startswith(start):
            return Refused(told, code=code)
    if not code and type(error).__name__ in {"OperationalError", "InterfaceError"}:
        return Transient("the ledger is busy or away")
    return AssertionError(f"the ledger broke a rule of its own: {type(error).__name__} {code}")


def pages(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Cut a sequence into pieces of at most ``PAGE``."""
    for start in range(0, len(items), PAGE):
        yield items[start : start + PAGE]
