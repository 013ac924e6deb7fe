"""Fenced leases. A fence only grows, also while nobody holds the lease."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select, update

from connectors.sql.dialects import insert_into
from connectors.sql.shelf import Shelf
from connectors.sql.tables import leases
from repatria.errors import FenceLost
from repatria.ports.ledger import Lease


class SqlLeases(Shelf):
    """The ``Leases`` port."""

    def take(self, name: str, holder: str, expect: tuple[int, int] | None) -> Lease | None:
        with self._store.writing() as connection:
            row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
            held = row is not None and row.holder is not None
            if row is not None and held and expect != (row.fence, row.beat):
                return None
            lease = Lease(name, holder, row.fence + 1 if row is not None else 1)
            taken = {"holder": holder, "fence": lease.fence, "beat": 0}
            insert = insert_into(connection, leases).values(name=name, **taken)
            connection.execute(
                insert.on_conflict_do_update(index_elements=[leases.c.name], set_=taken)
            )
            return lease

    def look(self, name: str) -> tuple[str, int, int] | None:
        query = select(leases).where(leases.c.name == name, leases.c.holder.is_not(None))
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.holder, row.fence, row.beat)

    def beat(self, lease: Lease) -> None:
        with self._store.writing() as connection:
            beat = update(leases).where(*_held_by(lease)).values(beat=leases.c.beat + 1)
            if connection.execute(beat).rowcount == 0:
                raise _lost(lease)

    def release(self, lease: Lease) -> None:
        with self._store.writing() as connection:
            connection.execute(update(leases).where(*_held_by(lease)).values(holder=None))


def hold(connection: Connection, lease: Lease) -> None:
    """Check, in a write transaction, that ``lease`` is held. Raises ``FenceLost``."""
    query = select(leases.c.fence).where(*_held_by(lease))
    if connection.execute(query).scalar() is None:
        raise _lost(lease)


def _held_by(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        leases.c.name == lease.name,
        leases.c.fence == lease.fence,
        leases.c.holder.is_not(None),
    )


def _lost(lease: Lease) -> FenceLost:
    return FenceLost("somebody newer holds this lease", lease=lease.name, fence=lease.fence)
