"""The quarantine: what of each batch waits, and what people decided about it.

A decision outlives the receipt that it was made about: a batch read again keeps the verdict
of each reason and region, for as long as no other records joined those that were decided. Else
that is another entry, under a number of its own, and nobody has decided about it. A released
entry whose records still wait was read before the release, and so its batch stays open; a
release is never lost to a commit that crossed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, Select, delete, select, update

from connectors.sql import positions
from connectors.sql.dialects import insert_into
from connectors.sql.patience import patient
from connectors.sql.rows import kept, waiting_row
from connectors.sql.seal import Seal
from connectors.sql.shelf import Shelf
from connectors.sql.store import PAGE, pages
from connectors.sql.tables import accounts, rulings, waiting
from repatria.batch import Reason
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.ports.ledger import Quarantined, Verdict
from repatria.receipt import BatchName, Receipt, Waiting

BY_RULE: Final = "decided for the whole dataset"
_Held: TypeAlias = Mapping[tuple[str, str], Row[Any]]


class SqlQuarantine(Shelf):
    """The ``Quarantine`` port."""

    def waiting(
        self, dataset: DatasetName | None = None, verdict: Verdict | None = None
    ) -> Iterator[Quarantined]:
        query = _entries().order_by(waiting.c.id).limit(PAGE)
        if dataset is not None:
            query = query.where(accounts.c.dataset == dataset)
        if verdict is not None:
            query = query.where(waiting.c.verdict == verdict.value)
        last = 0
        while True:
            rows = self._entries_page(query.where(waiting.c.id > last))
            yield from (self._quarantined(row) for row in rows)
            if len(rows) < PAGE:
                return
            last = rows[-1].id

    @patient
    def entry(self, number: int) -> Quarantined | None:
        with self._store.reading() as connection:
            row = connection.execute(_entries().where(waiting.c.id == number)).one_or_none()
        return None if row is None else self._quarantined(row)

    @patient
    def decide(self, numbers: Sequence[int], verdict: Verdict, by: str, why: str) -> int:
        changed = 0
        with self._store.writing() as connection:
            for page in pages(list(dict.fromkeys(numbers))):
                query = select(waiting).where(waiting.c.id.in_(page))
                rows = connection.execute(query.where(waiting.c.verdict != verdict.value)).all()
                _decide(connection, rows, verdict, by, why)
                changed += len(rows)
        return changed

    @patient
    def rule(self, dataset: DatasetName, reason: Reason, verdict: Verdict, by: str) -> None:
        """Record a decision for a dataset; ``OPEN`` takes an earlier one back."""
        here = (rulings.c.dataset == dataset, rulings.c.reason == reason.value)
        with self._store.writing() as connection:
            connection.execute(delete(rulings).where(*here))
            if verdict is Verdict.OPEN:
                return
            row = {"dataset": dataset, "reason": reason, "verdict": verdict, "decided_by": by}
            connection.execute(insert_into(connection, rulings).values(row))
            query = _entries().where(
                accounts.c.dataset == dataset,
                waiting.c.reason == reason.value,
                waiting.c.verdict == Verdict.OPEN.value,
            )
            for page in pages(connection.execute(query).all()):
                _decide(connection, page, verdict, by, BY_RULE)

    @patient
    def rules(self) -> Mapping[tuple[DatasetName, Reason], Verdict]:
        with self._store.reading() as connection:
            rows = connection.execute(select(rulings)).all()
        return {(DatasetName(r.dataset), Reason(r.reason)): Verdict(r.verdict) for r in rows}

    @patient
    def _entries_page(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._store.reading() as connection:
            return connection.execute(query).all()

    def _quarantined(self, row: Row[Any]) -> Quarantined:
        return Quarantined(
            id=row.id,
            batch=BatchName(SliceId(row.slice), row.ordinal, row.version),
            dataset=DatasetName(row.dataset),
            site=SiteName(row.site),
            label=row.label or row.slice,
            reason=Reason(row.reason),
            region=RegionName(row.region) if row.region else None,
            rows=row.rows,
            positions=positions.unpack(row.positions),
            kept_site=SiteName(row.kept_site) if row.kept_site is not None else None,
            kept=kept(self._store.seal, row),
            verdict=Verdict(row.verdict),
            by=row.decided_by,
            why=row.why,
        )


def settle(connection: Connection, seal: Seal, number: int, receipt: Receipt) -> bool:
    """Make the entries of a batch those of its receipt; verdicts stay with what they are about.

    Returns whether released records still wait, so that the batch must be read again.
    """
    held = _held(connection, number, receipt)
    ruled = _rulings(connection, receipt) if receipt.waiting else {}
    released = False
    for place, entry in enumerate(receipt.waiting):
        values: dict[str, object] = waiting_row(seal, entry) | {"place": place}
        old = held.get((entry.reason.value, entry.region or ""))
        if old is not None:
            verdict = str(old.verdict)
            connection.execute(update(waiting).where(waiting.c.id == old.id).values(values))
        else:
            decided = ruled.get(entry.reason.value, {"verdict": Verdict.OPEN.value})
            verdict = str(decided["verdict"])
            values |= {"batch": number, **decided}
            connection.execute(insert_into(connection, waiting).values(values))
        released |= verdict == Verdict.RELEASE.value and entry.rows > 0
    return released


def _held(connection: Connection, number: int, receipt: Receipt) -> _Held:
    """Return the entries of a batch that its receipt goes on with, and forget the others."""
    rows = connection.execute(select(waiting).where(waiting.c.batch == number)).all()
    told = {(entry.reason.value, entry.region or ""): entry for entry in receipt.waiting}
    found = {(row.reason, row.region): row for row in rows}
    held = {key: row for key, row in found.items() if _goes_on(row, told.get(key))}
    gone = {row.id for row in rows} - {row.id for row in held.values()}
    if gone:
        connection.execute(delete(waiting).where(waiting.c.id.in_(gone)))
    return held


def _goes_on(row: Row[Any], entry: Waiting | None) -> bool:
    return entry is not None and set(entry.positions) <= set(positions.unpack(row.positions))


def _rulings(connection: Connection, receipt: Receipt) -> dict[str, dict[str, object]]:
    rows = connection.execute(select(rulings).where(rulings.c.dataset == receipt.dataset))
    return {
        row.reason: {"verdict": row.verdict, "decided_by": row.decided_by, "why": BY_RULE}
        for row in rows
    }


def _decide(
    connection: Connection, rows: Sequence[Row[Any]], verdict: Verdict, by: str, why: str
) -> None:
    """Give entries another verdict; what goes in or out by it must be read again."""
    ids = [row.id for row in rows]
    values = {"verdict": verdict.value, "decided_by": by, "why": why}
    connection.execute(update(waiting).where(waiting.c.id.in_(ids)).values(values))
    release = Verdict.RELEASE.value
    batches = {row.batch for row in rows if release in (verdict.value, row.verdict)}
    if batches:
        mark = update(accounts).where(accounts.c.id.in_(batches)).values(reopened=True)
        connection.execute(mark)


def _entries() -> Select[Any]:
    batch = (accounts.c.slice, accounts.c.ordinal, accounts.c.version)
    told = (accounts.c.dataset, accounts.c.site, accounts.c.label)
    return select(waiting, *batch, *told).join(accounts, accounts.c.id == waiting.c.batch)
