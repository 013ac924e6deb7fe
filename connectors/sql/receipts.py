"""Receipts: one account per batch, its lines, and what of it waits.

Committing is one transaction, alone with its lease and its slice: the fence is checked, the receipt
that stands is read, ``amend`` decides what may change, and account, lines, quarantine and
journal entries are written together; a receipt of another version goes in the same moment. Killed
anywhere, nothing of it is there; done twice, it is there once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, select, tuple_, update

from connectors.sql import outbox
from connectors.sql.dialects import insert_into
from connectors.sql.leases import hold
from connectors.sql.patience import patient
from connectors.sql.postgresql import lock_slice
from connectors.sql.quarantine import settle
from connectors.sql.rows import account_row, line_row, load
from connectors.sql.shelf import Shelf
from connectors.sql.store import PAGE, pages
from connectors.sql.tables import accounts, lines, waiting
from repatria.amendment import amend, home_lines
from repatria.names import DatasetName, RegionName, SliceId
from repatria.ports.leases import Lease
from repatria.receipt import BatchName, Receipt

_PLACE = (accounts.c.slice, accounts.c.ordinal)
_BATCH = (*_PLACE, accounts.c.version)


class SqlReceipts(Shelf):
    """The ``Receipts`` port."""

    @patient
    def committed(self, pieces: Sequence[SliceId]) -> Mapping[BatchName, Receipt]:
        found: dict[BatchName, Receipt] = {}
        for page in pages(pieces):
            with self._store.reading() as connection:
                rows = connection.execute(select(accounts).where(accounts.c.slice.in_(page))).all()
                loaded = load(connection, self._store.seal, rows)
            found.update((receipt.batch, receipt) for receipt in loaded)
        return found

    @patient
    def commit(
        self, receipt: Receipt, lease: Lease, entries: Sequence[bytes], over: str | None = None
    ) -> None:
        receipt.checked()
        with self._store.writing_beside() as connection:
            hold(connection, lease)
            lock_slice(connection, receipt.batch.slice)
            self._amend(connection, receipt, over)
            outbox.append(connection, entries)

    def receipts(
        self, dataset: DatasetName | None = None, region: RegionName | None = None
    ) -> Iterator[Receipt]:
        """Yield receipts of that dataset that have a line of that region, each one whole."""
        wanted = _of(dataset, region)
        after: tuple[str, int] = ("", -1)
        while True:
            page = self._receipts_page(wanted, after)
            yield from page
            if len(page) < PAGE:
                return
            after = (page[-1].batch.slice, page[-1].batch.ordinal)

    @patient
    def reopen(self, batches: Sequence[BatchName]) -> int:
        marked = 0
        with self._store.writing() as connection:
            for page in pages(list(dict.fromkeys(batches))):
                named = [(batch.slice, batch.ordinal, batch.version) for batch in page]
                change = update(accounts).where(tuple_(*_BATCH).in_(named)).values(reopened=True)
                marked += connection.execute(change).rowcount
        return marked

    @patient
    def reopened(self, pieces: Sequence[SliceId]) -> frozenset[BatchName]:
        found: set[BatchName] = set()
        for page in pages(pieces):
            query = select(*_BATCH).where(accounts.c.slice.in_(page), accounts.c.reopened)
            with self._store.reading() as connection:
                found.update(BatchName(*row) for row in connection.execute(query))
        return frozenset(found)

    @patient
    def _receipts_page(
        self, wanted: Sequence[ColumnElement[bool]], after: tuple[str, int]
    ) -> Sequence[Receipt]:
        query = select(accounts).where(*wanted).order_by(*_PLACE).limit(PAGE)
        with self._store.reading() as connection:
            rows = connection.execute(query.where(tuple_(*_PLACE) > after)).all()
            return load(connection, self._store.seal, rows)

    def _amend(self, connection: Connection, receipt: Receipt, over: str | None) -> None:
        batch = receipt.batch
        here = (accounts.c.slice == batch.slice, accounts.c.ordinal == batch.ordinal)
        row = connection.execute(select(accounts).where(*here)).one_or_none()
        stored = None if row is None else load(connection, self._store.seal, [row])[0]
        reopened = row is not None and row.reopened
        after = amend(stored, receipt, reopened=reopened, over=over)
        if after is stored and not reopened:
            return
        if row is not None and row.version != batch.version:
            _forget(connection, row.id)
            row = stored = None
        number = _insert_account(connection, after) if row is None else row.id
        self._write_lines(connection, number, stored, after)
        again = settle(connection, self._store.seal, number, after)
        if stored is not None or again:
            values = account_row(after) | {"reopened": again}
            connection.execute(update(accounts).where(accounts.c.id == number).values(values))

    def _write_lines(
        self, connection: Connection, number: int, stored: Receipt | None, after: Receipt
    ) -> None:
        old = set(stored.lines) if stored is not None else set()
        places = {(line.region, line.site) for line in old}
        home = set(home_lines(after.lines).values())
        new = []
        for place, line in enumerate(after.lines):
            if line in old:
                continue
            row = line_row(self._store.seal, line) | {"place": place, "counts": line in home}
            if (line.region, line.site) not in places:
                new.append(row | {"batch": number})
                continue
            here = (
                lines.c.batch == number,
                lines.c.region == line.region,
                lines.c.site == line.site,
            )
            connection.execute(update(lines).where(*here).values(row))
        if new:
            connection.execute(insert_into(connection, lines), new)


def _insert_account(connection: Connection, receipt: Receipt) -> int:
    row = account_row(receipt) | {"reopened": False}
    insert = insert_into(connection, accounts).values(row).returning(accounts.c.id)
    return int(connection.execute(insert).scalar_one())


def _forget(connection: Connection, number: int) -> None:
    """Remove the receipt of a version that another takes the place of, and all that hung on it."""
    connection.execute(delete(lines).where(lines.c.batch == number))
    connection.execute(delete(waiting).where(waiting.c.batch == number))
    connection.execute(delete(accounts).where(accounts.c.id == number))


def _of(dataset: DatasetName | None, region: RegionName | None) -> list[ColumnElement[bool]]:
    wanted = []
    if dataset is not None:
        wanted.append(accounts.c.dataset == dataset)
    if region is not None:
        here = select(lines.c.batch).where(lines.c.batch == accounts.c.id, lines.c.region == region)
        wanted.append(exists(here))
    return wanted
