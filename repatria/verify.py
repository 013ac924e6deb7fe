"""Verifies: reads both sides anew and compares the records, batch by batch, region by region.

Nothing is taken from memory or from a receipt but the names: the source is read and sorted
again, the parcel is read and decoded again, and the record digests of both are compared as
multisets. What could not be compared is *unverified*, which is never "ok" (law 7). Bounded by
one batch and its parcels; each compared slice is saved, so a verification carries on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from repatria.batch import LINE, Batch
from repatria.border import Place
from repatria.dataset import Dataset
from repatria.digest import Digester, Digests, compare
from repatria.errors import Archived, Corrupt, ParcelGone, Spoilt, StaleSlice, Stopped
from repatria.names import RegionName, RunId, SiteName
from repatria.plan import Stripe
from repatria.ports.ledger import Comparison, Comparisons, Receipts
from repatria.ports.records import Source
from repatria.receipt import BatchName, Line, Receipt
from repatria.site import Region
from repatria.slice import Slice
from repatria.sorter import Sorter, name_of
from repatria.stripe import History, Watch
from repatria.transfer import destinations

ANY = RegionName("*")
"""Stands for "whatever region" where a slice could not be read at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Verifies the stripes of one dataset and legacy site."""

    dataset: Dataset
    scope: Sequence[Region]
    source: Source
    places: Mapping[SiteName, Place]
    sorter: Sorter
    digester: Digester
    receipts: Receipts
    comparisons: Comparisons

    def run(self, run: RunId, stripe: Stripe, watch: Watch) -> None:
        """Compare every batch of ``stripe`` that ``run`` has not compared yet."""
        history = History.of(self.receipts, stripe.slices)
        done = {
            name.slice for name, _ in self.comparisons.compared(run, [p.id for p in stripe.slices])
        }
        for piece in stripe.slices:
            if watch.stopping():
                raise Stopped("stopped between two slices, as asked")
            if piece.id not in done:
                found = self._slice(piece, history)
                self.comparisons.save_comparisons(run, found)
                matched = sum(comparison.matched for comparison in found)
                watch.progress.batch(piece.dataset, matched, 0, piece.bytes)
                watch.progress.slice_done(piece.dataset, piece.label, None)

    def _slice(self, piece: Slice, history: History) -> list[Comparison]:
        # A slice without a record of these regions is a result too, and must not look unread.
        nothing = self._told(BatchName(piece.id, 0, piece.version), ANY)(matched=0)
        return list(self._batches(piece, history)) or [nothing]

    def _batches(self, piece: Slice, history: History) -> Iterator[Comparison]:
        name = BatchName(piece.id, 0, piece.version)
        receipts = {receipt.batch: receipt for receipt in history.of_piece(piece)}
        try:
            for batch in self.source.batches(self.dataset, piece, None):
                name = name_of(batch)
                yield from self._batch(batch, receipts.pop(name, None))
        except (Spoilt, Archived) as error:
            yield self._told(name, ANY)(matched=0, unverified=1, why=f"the source: {error}")
            return
        for left in receipts.values():
            if left.read:
                yield self._told(left.batch, ANY)(matched=0, extra=left.moved, why="no such batch")

    def _batch(self, batch: Batch, receipt: Receipt | None) -> Iterator[Comparison]:
        sorted_ = self.sorter.sort(batch)
        tables = sorted_.split([region.name for region in self.scope])
        lines = {(line.region, line.site): line for line in (receipt.lines if receipt else ())}
        for region in self.scope:
            rows = tables.get(region.name)
            for site in destinations(region):
                line = lines.get((region.name, site))
                if rows is not None or line is not None:
                    yield self._compare(name_of(batch), region.name, rows, line)

    def _compare(
        self, name: BatchName, region: RegionName, rows: pa.Table | None, line: Line | None
    ) -> Comparison:
        told = self._told(name, region)
        count = rows.num_rows if rows is not None else 0
        if line is None:
            return told(matched=0, missing=count, why="no receipt for these records")
        try:
            stored = self.places[line.site].target.read(self.dataset, line.object, line.sha256)
        except ParcelGone:
            return told(matched=0, missing=count, why=f"the parcel is gone from {line.site}")
        except (StaleSlice, Corrupt) as error:
            return told(matched=0, altered=max(count, line.rows), why=str(error))
        there = self.digests(stored)
        here = self.digests(rows if rows is not None else stored.slice(0, 0))
        found = compare(here, there)
        altered = min(found.missing, found.extra)
        return told(
            matched=found.matched,
            missing=found.missing - altered,
            extra=found.extra - altered,
            altered=altered,
        )

    def digests(self, rows: pa.Table) -> Digests:
        """Digest rows as their dataset is digested: carried by line, typed by value."""
        if self.dataset.carried:
            return self.digester.lines(rows.column(LINE))
        return self.digester.records(rows)

    def _told(self, name: BatchName, region: RegionName) -> Callable[..., Comparison]:
        return partial(Comparison, batch=name, dataset=self.dataset.name, region=region)
