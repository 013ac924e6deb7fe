"""Fenced leases. A fence only grows, also while nobody holds the lease.

Whoever writes under a lease locks its row against being taken for as long as the transaction lasts.
Whoever claims passes over rows that another is deciding about, so that nobody waits to be told no.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, select, update

from connectors.sql.dialects import insert_into
from connectors.sql.patience import patient
from connectors.sql.shelf import Shelf
from connectors.sql.store import pages
from connectors.sql.tables import leases
from repatria.errors import FenceLost
from repatria.ports.leases import Lease


class SqlLeases(Shelf):
    """The ``Leases`` port."""

    @patient
    def take(self, name: str, holder: str, expect: tuple[int, int] | None) -> Lease | None:
        with self._store.writing_beside() as connection:
            _know(connection, [name])
            query = select(leases).where(leases.c.name == name).with_for_update()
            row = connection.execute(query).one()
            if row.holder is not None and expect != (row.fence, row.beat):
                return None
            return _give(connection, row, holder)

    def claim(self, names: Sequence[str], holder: str) -> Lease | None:
        for page in pages(list(dict.fromkeys(names))):
            lease = self._claim(page, holder)
            if lease is not None:
                return lease
        return None

    @patient
    def look(self, name: str) -> tuple[str, int, int] | None:
        query = select(leases).where(leases.c.name == name, leases.c.holder.is_not(None))
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.holder, row.fence, row.beat)

    def beat(self, lease: Lease) -> None:
        with self._store.writing_beside() as connection:
            beat = update(leases).where(*_held_by(lease)).values(beat=leases.c.beat + 1)
            if connection.execute(beat).rowcount == 0:
                raise _lost(lease)

    @patient
    def release(self, lease: Lease) -> None:
        with self._store.writing_beside() as connection:
            connection.execute(update(leases).where(*_held_by(lease)).values(holder=None))

    @patient
    def _claim(self, names: Sequence[str], holder: str) -> Lease | None:
        unknown = self._unknown(names)
        if unknown:
            with self._store.writing_beside() as connection:
                _know(connection, unknown)
        with self._store.writing_beside() as connection:
            free = select(leases).where(leases.c.name.in_(names), leases.c.holder.is_(None))
            order = case({name: place for place, name in enumerate(names)}, value=leases.c.name)
            first = free.order_by(order).limit(1).with_for_update(skip_locked=True)
            row = connection.execute(first).one_or_none()
            return None if row is None else _give(connection, row, holder)

    def _unknown(self, names: Sequence[str]) -> list[str]:
        with self._store.reading() as connection:
            query = select(leases.c.name).where(leases.c.name.in_(names))
            known = set(connection.execute(query).scalars())
        return [name for name in names if name not in known]


def hold(connection: Connection, lease: Lease) -> None:
    """Check, in a write transaction, that ``lease`` is held, and that nobody takes it until then.

    Raises ``FenceLost``.
    """
    query = select(leases.c.fence).where(*_held_by(lease)).with_for_update(read=True)
    if connection.execute(query).scalar() is None:
        raise _lost(lease)


def _know(connection: Connection, names: Sequence[str]) -> None:
    """Have a row for each name, free if it is new; always in one order, so that nobody crosses."""
    rows = [{"name": name, "fence": 0, "beat": 0} for name in sorted(names)]
    connection.execute(insert_into(connection, leases).on_conflict_do_nothing(), rows)


def _give(connection: Connection, row: Row[Any], holder: str) -> Lease:
    lease = Lease(row.name, holder, row.fence + 1)
    taken = update(leases).where(leases.c.name == row.name)
    connection.execute(taken.values(holder=holder, fence=lease.fence, beat=0))
    return lease


def _held_by(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        leases.c.name == lease.name,
        leases.c.fence == lease.fence,
        leases.c.holder.is_not(None),
    )


def _lost(lease: Lease) -> FenceLost:
    return FenceLost("somebody newer holds this lease", lease=lease.name, fence=lease.fence)
