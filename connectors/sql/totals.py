"""Totals: sums that the database makes itself.

What stands is counted once: of several sites of a region the one whose line was recorded first,
its home. Older versions of a source do not stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from connectors.sql.dialects import insert_into
from connectors.sql.leases import hold
from connectors.sql.patience import patient
from connectors.sql.shelf import Shelf
from connectors.sql.tables import accounts, finished, lines
from repatria.names import DatasetName, PlanDigest, RegionName
from repatria.ports.leases import Lease
from repatria.ports.totals import Progress


class SqlTotals(Shelf):
    """The ``Totals`` and ``Finished`` ports."""

    @patient
    def moved(self) -> Sequence[Progress]:
        by = (accounts.c.dataset, lines.c.region)
        query = (
            select(*by, func.count(), func.sum(lines.c.rows), func.sum(lines.c.size))
            .join(accounts, accounts.c.id == lines.c.batch)
            .where(lines.c.counts)
            .group_by(*by)
            .order_by(*by)
        )
        with self._store.reading() as connection:
            return [
                Progress(
                    dataset=DatasetName(dataset),
                    region=RegionName(region),
                    batches=int(batches),
                    rows=int(rows),
                    bytes=int(size),
                )
                for dataset, region, batches, rows, size in connection.execute(query)
            ]

    @patient
    def accounts(self) -> Mapping[DatasetName, Mapping[str, int]]:
        summed = {
            "read": accounts.c.read,
            "erased": accounts.c.erased,
            "quarantined": accounts.c.quarantined,
            "superseded": accounts.c.superseded,
            "bytes": accounts.c.bytes_read,
        }
        sums = [func.sum(column) for column in summed.values()]
        query = (
            select(accounts.c.dataset, func.count(), *sums)
            .group_by(accounts.c.dataset)
            .order_by(accounts.c.dataset)
        )
        with self._store.reading() as connection:
            return {
                DatasetName(dataset): dict(
                    zip(("batches", *summed), (int(sum_) for sum_ in sums), strict=True)
                )
                for dataset, *sums in connection.execute(query)
            }

    @patient
    def stripes_done(self, plan: PlanDigest) -> frozenset[int]:
        with self._store.reading() as connection:
            query = select(finished.c.number).where(finished.c.plan == plan)
            return frozenset(connection.execute(query).scalars())

    @patient
    def finish_stripe(self, plan: PlanDigest, number: int, lease: Lease) -> None:
        with self._store.writing_beside() as connection:
            hold(connection, lease)
            row = insert_into(connection, finished).values(plan=plan, number=number)
            connection.execute(row.on_conflict_do_nothing())
