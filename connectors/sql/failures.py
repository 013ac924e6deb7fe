"""Slices that could not be finished. An attempt is on disk before decoding begins."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from connectors.sql.dialects import insert_into
from connectors.sql.patience import patient
from connectors.sql.shelf import Shelf
from connectors.sql.tables import failures
from repatria.names import DatasetName, SiteName, SliceId
from repatria.ports.ledger import Failure, FailureKind

_KEY = (failures.c.slice, failures.c.version)


class SqlFailures(Shelf):
    """The ``Failures`` port."""

    @patient
    def attempt(self, piece: SliceId, version: str) -> int:
        with self._store.writing_beside() as connection:
            insert = insert_into(connection, failures).values(
                slice=piece, version=version, attempts=1
            )
            more = {"attempts": failures.c.attempts + 1}
            upsert = insert.on_conflict_do_update(index_elements=_KEY, set_=more)
            counted = connection.execute(upsert.returning(failures.c.attempts))
            return int(counted.scalar_one())

    @patient
    def finished(self, piece: SliceId, version: str) -> None:
        with self._store.writing_beside() as connection:
            gone = (failures.c.slice == piece, failures.c.version == version)
            connection.execute(delete(failures).where(*gone))

    @patient
    def failed(self, failure: Failure) -> None:
        """Record why; attempts that were counted stay as they are."""
        told = {
            "dataset": failure.dataset,
            "site": failure.site,
            "label": failure.label,
            "kind": failure.kind.value,
            "why": failure.why,
        }
        with self._store.writing_beside() as connection:
            insert = insert_into(connection, failures).values(
                slice=failure.slice, version=failure.version, attempts=failure.attempts, **told
            )
            connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=told))

    @patient
    def failures(self) -> Sequence[Failure]:
        """Return them in order of (slice, version)."""
        query = select(failures).where(failures.c.kind.is_not(None)).order_by(*_KEY)
        with self._store.reading() as connection:
            return [
                Failure(
                    slice=SliceId(row.slice),
                    version=row.version,
                    dataset=DatasetName(row.dataset),
                    site=SiteName(row.site),
                    label=row.label,
                    kind=FailureKind(row.kind),
                    why=row.why,
                    attempts=row.attempts,
                )
                for row in connection.execute(query)
            ]
