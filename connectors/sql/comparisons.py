"""Comparisons: how far a verification has come, and what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, select, tuple_

from connectors.sql.dialects import insert_into
from connectors.sql.patience import patient
from connectors.sql.shelf import Shelf
from connectors.sql.store import PAGE, pages
from connectors.sql.tables import comparisons
from repatria.names import DatasetName, RegionName, RunId, SliceId
from repatria.ports.ledger import Comparison
from repatria.receipt import BatchName

_COUNTS: Final = ("matched", "missing", "extra", "altered", "unverified")
_TOLD: Final = ("dataset", *_COUNTS, "why")
_Place: TypeAlias = tuple[str, int, str, str]
_ORDER = (
    comparisons.c.slice,
    comparisons.c.ordinal,
    comparisons.c.version,
    comparisons.c.region,
)


class SqlComparisons(Shelf):
    """The ``Comparisons`` port."""

    @patient
    def compared(
        self, run: RunId, pieces: Sequence[SliceId]
    ) -> frozenset[tuple[BatchName, RegionName]]:
        found: set[tuple[BatchName, RegionName]] = set()
        for page in pages(pieces):
            here = (comparisons.c.run == run, comparisons.c.slice.in_(page))
            with self._store.reading() as connection:
                for piece, ordinal, version, region in connection.execute(
                    select(*_ORDER).where(*here)
                ):
                    batch = BatchName(SliceId(piece), ordinal, version)
                    found.add((batch, RegionName(region)))
        return frozenset(found)

    @patient
    def save_comparisons(self, run: RunId, found: Sequence[Comparison]) -> None:
        """Record what was found; a later finding about the same takes the place of an earlier."""
        rows = sorted(({"run": run, **_row(comparison)} for comparison in found), key=_place)
        with self._store.writing_beside() as connection:
            insert = insert_into(connection, comparisons)
            upsert = insert.on_conflict_do_update(
                index_elements=[comparisons.c.run, *_ORDER],
                set_={name: insert.excluded[name] for name in _TOLD},
            )
            for page in pages(rows):
                connection.execute(upsert, page)

    def comparisons(self, run: RunId) -> Iterator[Comparison]:
        """Yield them in order of (slice, ordinal, version, region)."""
        after: _Place = ("", -1, "", "")
        while True:
            rows = self._comparisons_page(run, after)
            for row in rows:
                yield Comparison(
                    batch=BatchName(SliceId(row.slice), row.ordinal, row.version),
                    dataset=DatasetName(row.dataset),
                    region=RegionName(row.region),
                    why=row.why,
                    **{name: getattr(row, name) for name in _COUNTS},
                )
            if len(rows) < PAGE:
                return
            after = (rows[-1].slice, rows[-1].ordinal, rows[-1].version, rows[-1].region)

    @patient
    def _comparisons_page(self, run: RunId, after: _Place) -> Sequence[Row[Any]]:
        query = select(comparisons).where(comparisons.c.run == run).order_by(*_ORDER).limit(PAGE)
        with self._store.reading() as connection:
            return connection.execute(query.where(tuple_(*_ORDER) > after)).all()


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what rows are written in order of, so that no two writers wait for each other."""
    return tuple(row[column.name] for column in _ORDER)


def _row(comparison: Comparison) -> dict[str, object]:
    return {
        "slice": comparison.batch.slice,
        "ordinal": comparison.batch.ordinal,
        "version": comparison.batch.version,
        "region": comparison.region,
        **{name: getattr(comparison, name) for name in _TOLD},
    }
