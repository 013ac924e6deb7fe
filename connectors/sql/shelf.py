"""What each part of the ledger stands on."""

from __future__ import annotations

from connectors.sql.patience import Patience
from connectors.sql.store import Store


class Shelf:
    """One part of the ledger, on the store that all of them share."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def patience(self) -> Patience:
        """How long the database is waited for."""
        return self._store.patience
