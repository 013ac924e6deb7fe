"""The ledger in an SQL database: opened here, made of one part per noun.

``open_ledger`` takes any SQLAlchemy URL of SQLite (a file) or PostgreSQL. Several threads and
processes may use one ledger at once; a process that forks opens its own afterwards. Every
port that this implements is described in ``repatria.ports``.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from connectors.sql.comparisons import SqlComparisons
from connectors.sql.dialects import engine_for, parsed
from connectors.sql.examined import findings, server_of
from connectors.sql.failures import SqlFailures
from connectors.sql.leases import SqlLeases
from connectors.sql.marks import Marks
from connectors.sql.outbox import SqlOutbox
from connectors.sql.patience import Once, Patience, patient
from connectors.sql.plans import SqlPlans
from connectors.sql.quarantine import SqlQuarantine
from connectors.sql.receipts import SqlReceipts
from connectors.sql.runs import SqlRuns
from connectors.sql.schema import REVISIONS, identify, make
from connectors.sql.seal import Seal, Unsealed
from connectors.sql.store import Store
from connectors.sql.totals import SqlTotals
from repatria.finding import Finding


class SqlLedger(
    SqlPlans,
    SqlLeases,
    SqlReceipts,
    SqlFailures,
    SqlQuarantine,
    SqlRuns,
    SqlComparisons,
    SqlOutbox,
    SqlTotals,
):
    """Everything that the ledger remembers. ``id`` is made with the ledger and never changes."""

    def __init__(self, store: Store, id: str) -> None:  # noqa: A002  It is what it is.
        super().__init__(store)
        self.id = id
        self.schema = REVISIONS[-1]

    def close(self) -> None:
        self._store.close()

    @patient
    def examined(self) -> Sequence[Finding]:
        """Say what the settings of its server mean for it; nothing where it is a file."""
        server = server_of(self._store)
        return [] if server is None else list(findings(server))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_ledger(
    url: str,
    *,
    create: bool = False,
    read_only: bool = False,
    seal: Seal | None = None,
    patience: Patience | None = None,
) -> SqlLedger:
    """Open a ledger; with ``create`` make it, or bring it up to date, first.

    A ledger that is ``read_only`` is opened so by the database too, and raises ``WriteRefused``.
    With a ``seal`` every object key is stored sealed; a ledger keeps the seal it was made with.
    With ``patience`` each of its calls is repeated while the database is away.
    Raises ``Refused`` if there is none or an older one, ``ConfigRefused`` for a URL that is
    none, a newer ledger or another seal, ``Transient`` if the database is away.
    """
    assert not (create and read_only), "what is made is written"
    engine = engine_for(parsed(url), create=create, read_only=read_only)
    store = Store(
        engine,
        seal if seal is not None else Unsealed(),
        read_only,
        patience if patience is not None else Once(),
        None if engine.dialect.name == "sqlite" else Marks(),
    )
    try:
        if create:
            make(store)
        return SqlLedger(store, store.patience.attempt(lambda: _id_of(store)))
    except BaseException:
        engine.dispose()
        raise


def _id_of(store: Store) -> str:
    with store.reading() as connection:
        return identify(connection, store.seal)
