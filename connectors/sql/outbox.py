"""Entries that the journal has yet to take: each once, under numbers that only grow.

Who lists them waits for commits under way, which may hold a lower number than what can be seen: so
that nobody who goes on from the last number that they saw ever passes one over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, select

from connectors.sql.dialects import insert_into
from connectors.sql.patience import patient
from connectors.sql.shelf import Shelf
from connectors.sql.tables import outbox


class SqlOutbox(Shelf):
    """The ``Outbox`` port."""

    @patient
    def entries(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        query = select(outbox.c.id, outbox.c.body).where(outbox.c.id > after)
        with self._store.reading_settled() as connection:
            rows = connection.execute(query.order_by(outbox.c.id).limit(limit))
            return [(row.id, row.body) for row in rows]


def append(connection: Connection, entries: Sequence[bytes]) -> None:
    """Add entries in a write transaction, in their order; an equal one is there already."""
    if not entries:
        return
    insert = insert_into(connection, outbox).on_conflict_do_nothing()
    rows = [{"digest": hashlib.sha256(entry).digest(), "body": entry} for entry in entries]
    connection.execute(insert, rows)
