"""The database under the ledger: transactions, and what its failures mean.

What may pass is ``Transient`` (locked, disconnected, no connection free), what a person must
change is ``Refused`` (disk full, read-only, not a database, damaged). Anything else breaks a rule
of our own and is an assertion. No message tells SQL, a parameter or a password.

The answer to a commit can be lost with the server that gave it. Then the server is asked for the
mark that the transaction left, until it answers: what stands is done, and what does not may be
done again. Whoever writes hears ``Transient`` only of what did not happen, or ``Unsettled``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from connectors.sql.dialects import code_of, snapshot
from connectors.sql.marks import Marks
from connectors.sql.patience import Once, Patience, Unsettled
from connectors.sql.postgresql import LOCKS
from connectors.sql.seal import Seal
from repatria.errors import Refused, RepatriaError, Transient, WriteRefused

PAGE: Final = 500
"""Rows of one page, and names in one question: many, and few enough for every database."""

_Item = TypeVar("_Item")

_AWAY: Final = (
    *("SQLITE_BUSY", "SQLITE_LOCKED"),
    *("08", "25P03", "40", "53200", "53300", "53400", "55P03", "57014", "57P"),
)
_NEEDS: Final = {
    "SQLITE_FULL": "the disk of the ledger is full; make room",
    "53100": "the disk of the ledger is full; make room",
    "SQLITE_READONLY": "the ledger may not be written; look at the permissions of its file",
    "25006": "the ledger may not be written; it is a read-only replica",
    "42501": "the ledger may not be written; look at the permissions of its role",
    "SQLITE_CANTOPEN": (
        "the ledger cannot be opened; make one with `repatria init`, or make room on its disk"
    ),
    "SQLITE_PERM": "the ledger cannot be opened; look at the permissions of its file",
    "SQLITE_AUTH": "the ledger cannot be opened; look at the permissions of its file",
    "28": "the ledger cannot be opened; its credentials are refused",
    "3D000": "the ledger cannot be opened; there is no such database",
    "SQLITE_NOTADB": "this file is no ledger; look at the URL",
    "SQLITE_CORRUPT": "the ledger is damaged; restore it from its backup",
    "XX001": "the ledger is damaged; restore it from its backup",
    "XX002": "the ledger is damaged; restore it from its backup",
    "58030": "the disk of the ledger reports errors; look at the machine",
    "SQLITE_IOERR": "the disk of the ledger is full, or reports errors; look at the machine",
}


@dataclass(frozen=True, slots=True)
class Store:
    """An engine, the seal of its keys, and whether anything may be written."""

    engine: Engine
    seal: Seal
    read_only: bool = False
    patience: Patience = field(default_factory=Once)
    marks: Marks | None = None  #: Of a server: a file answers for itself.
    _writer: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read one state of the ledger. Keep it short: pages, not iterators."""
        with translated(), snapshot(self.engine).begin() as connection:
            yield connection

    @contextmanager
    def reading_settled(self) -> Iterator[Connection]:
        """Read when nobody is in the middle of writing: all that was begun before can be seen."""
        settled = self.engine.execution_options(**{LOCKS: "settled"})
        with translated(), settled.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write all or nothing, alone. Threads queue here; processes queue at the database."""
        with self._transaction("alone") as connection:
            yield connection

    @contextmanager
    def writing_beside(self) -> Iterator[Connection]:
        """Write all or nothing, beside other processes: lock the rows that you decide by."""
        with self._transaction("beside") as connection:
            yield connection

    @contextmanager
    def _transaction(self, how: str) -> Iterator[Connection]:
        if self.read_only:
            raise WriteRefused("the ledger was opened to be read only")
        committing = False
        with self._writer, translated():
            try:
                with self.engine.execution_options(**{LOCKS: how}).begin() as connection:
                    yield connection
                    if self.marks is not None:
                        self.marks.leave(connection)
                    committing = True
            except SQLAlchemyError as error:
                if not (committing and self._happened(error)):
                    raise

    def _happened(self, error: SQLAlchemyError) -> bool:
        if self.marks is None or not isinstance(meaning(error), Transient):
            return False
        try:
            return self.patience.attempt(partial(self._stands, self.marks))
        except Transient as silence:
            raise Unsettled("the ledger went away while it committed") from silence

    def _stands(self, marks: Marks) -> bool:
        with translated():
            return marks.stands(self.engine)

    def close(self) -> None:
        """Give back every connection, and what this writer left behind."""
        if self.marks is not None and self.marks.number:
            with suppress(SQLAlchemyError):
                self.marks.remove(self.engine)
        self.engine.dispose()


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
