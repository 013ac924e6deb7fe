"""Moves one batch: sort, split, gate, digest, put, read back, compare, commit.

The order is the safety argument. Until the receipt commits nothing is remembered, so a crash
between any two lines makes the next worker do the batch again: sorting is pure, a put finds its
own bytes and writes nothing, reading back may be repeated, and the commit happens once, under
the fence. A region that has a line already is never put again (law 6), unless its records are
others now (somebody was erased or released since): then the parcel replaces exactly the one in
the line, and the batch is opened so that its account may say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from repatria.batch import LINE, Batch
from repatria.border import Border, Place
from repatria.custody import Custody
from repatria.dataset import Dataset
from repatria.delivery import deliver
from repatria.digest import Digester
from repatria.errors import DecisionsChanged, LeftOut, ReadBackMismatch
from repatria.fate import ERASED, SUPERSEDED, Sorted
from repatria.journal import committed
from repatria.names import DatasetName, RegionName, SiteName
from repatria.ports.leases import Lease
from repatria.ports.ledger import Receipts
from repatria.ports.records import Parcel
from repatria.receipt import BatchName, Line, Receipt
from repatria.residency import decisions
from repatria.site import Region
from repatria.sorter import Sorter, name_of
from repatria.stored import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger knows of a batch. ``former`` is what stands at home from older versions.

    ``over`` is the other version of it that stands (None: none does).
    """

    receipt: Receipt | None = None
    reopened: bool = False
    over: str | None = None
    former: Mapping[tuple[RegionName, SiteName], Line] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Everything that moving the batches of one dataset from one site needs."""

    dataset: Dataset
    scope: Sequence[Region]
    sorter: Sorter
    border: Border
    digester: Digester
    receipts: Receipts

    def move(self, batch: Batch, known: Known, lease: Lease, like: Found | None) -> Receipt:
        """Move ``batch`` to its end and return its receipt.

        Raises ``ResidencyRefused``, ``ReadBackMismatch``, ``ForeignObject``, ``FenceLost``,
        ``Unbalanced`` or ``Transient``; in each case nothing of the batch is committed.
        """
        sorted_ = self.sorter.sort(batch)
        self._agree(sorted_, known)
        self._covers(sorted_, known)
        tables = sorted_.split([region.name for region in self.scope])
        lines = [
            line
            for region in self.scope
            for line in self._lines(sorted_, region, tables.get(region.name), known, like)
        ]
        receipt = self._receipt(sorted_, lines, known).checked()
        if not set(_held(known)) <= set(receipt.lines):
            self.receipts.reopen([receipt.batch])
        self.receipts.commit(receipt, lease, [committed(receipt)], known.over)
        return receipt

    def empty(self, batch: Batch, former: Receipt, lease: Lease) -> Receipt:
        """Empty the parcels of a batch that the changed object, whose last is ``batch``, lacks.

        A parcel that became empty is replaced by an empty one, never deleted: after a deletion
        a late ``If-None-Match: *`` would succeed.
        """
        piece = batch.piece
        regions = {region.name: region for region in self.scope}
        lines = [self._emptied(batch, former, regions[line.region], line) for line in former.lines]
        receipt = Receipt(
            batch=BatchName(piece.id, former.batch.ordinal, piece.version),
            dataset=self.dataset.name,
            site=piece.site,
            last=True,
            read=0,
            census={},
            erased=0,
            superseded=0,
            waiting=(),
            lines=tuple(lines),
            decisions=former.decisions,
            bytes_read=0,
            label=piece.label,
        )
        over = former.batch.version
        self.receipts.commit(receipt.checked(), lease, [committed(receipt)], over)
        return receipt

    def _emptied(self, batch: Batch, former: Receipt, region: Region, line: Line) -> Line:
        place = self.border.places[line.site]
        stored = place.target.read(self.dataset, line.object, line.sha256)
        parcel = Parcel(
            dataset=self.dataset,
            region=region.name,
            site=line.site,
            piece=batch.piece,
            ordinal=former.batch.ordinal,
            rows=stored.slice(0, 0),
            preamble=batch.preamble,
        )
        return self._carry(parcel, region, place, line, again=True)

    def _agree(self, sorted_: Sorted, known: Known) -> None:
        """Check that a batch read again is decided as it was, region by region.

        Where the atlas has grown since, regions that were unknown then count as elsewhere; where
        the contest was decided anew, fates may be others. The batch is opened for its new account.
        """
        before = known.receipt
        if before is None or known.reopened or before.decisions == sorted_.decisions:
            return
        view = decisions(
            sorted_.codes, sorted_.batch.refused, sorted_.atlas, view=before.census.keys()
        )
        if before.decisions.partition(":")[2] != view:
            raise DecisionsChanged("records resolve to other regions than when they were moved")
        self.receipts.reopen([before.batch])

    def _covers(self, sorted_: Sorted, known: Known) -> None:
        """Check that lines which this plan leaves out still hold what they should.

        Somebody may have been erased or released since; their parcel must be replaced too, or the
        batch would no longer balance.
        """
        scope = {region.name for region in self.scope}
        lines = [line for line in _held(known) if line.region not in scope]
        tables = sorted_.split({line.region for line in lines})
        for line in lines:
            rows = tables.get(line.region, sorted_.batch.rows.slice(0, 0))
            if not _holds(line, digest_of(self.digester, self.dataset, rows), rows.num_rows):
                raise LeftOut("records of another region changed their fate", regions=line.region)

    def _lines(
        self,
        sorted_: Sorted,
        region: Region,
        rows: pa.Table | None,
        known: Known,
        like: Found | None,
    ) -> list[Line]:
        held = {line.site: line for line in _held(known) if line.region == region.name}
        lines = []
        for site in destinations(region):
            line = held.get(site) or known.former.get((region.name, site))
            if rows is None and line is None:
                continue
            table = rows if rows is not None else sorted_.batch.rows.slice(0, 0)
            place = self.border.places[site]
            parcel = self._parcel(sorted_.batch, region, place, table, like)
            lines.append(self._carry(parcel, region, place, line, again=site in held))
        return lines

    def _parcel(
        self, batch: Batch, region: Region, place: Place, rows: pa.Table, like: Found | None
    ) -> Parcel:
        return Parcel(
            dataset=self.dataset,
            region=region.name,
            site=place.site.name,
            piece=batch.piece,
            ordinal=batch.ordinal,
            rows=rows,
            preamble=batch.preamble,
            like=like,
        )

    def _carry(
        self, parcel: Parcel, region: Region, place: Place, line: Line | None, *, again: bool
    ) -> Line:
        """Put one parcel and read it back; return the line that says so.

        Equal records read ``again`` from the same version need no put. Those of another version
        do: what stands around them (a header, a schema, an order, metadata) may have changed.
        """
        digest = digest_of(self.digester, self.dataset, parcel.rows)
        if again and line is not None and _holds(line, digest, parcel.rows.num_rows):
            return line
        self.border.pass_through(self.dataset, region, parcel.rows, place)
        arrived = deliver(parcel, place.target, self.receipts, line)
        stored = place.target.read_back(self.dataset, arrived)
        if digest_of(self.digester, self.dataset, stored) != digest:
            raise ReadBackMismatch(
                "the store does not hold the records that were sent",
                site=place.site.name,
                region=region.name,
                slice=parcel.piece.id,
                ordinal=parcel.ordinal,
            )
        return Line(
            region=region.name,
            site=place.site.name,
            rows=parcel.rows.num_rows,
            object=arrived.object,
            sha256=arrived.sha256,
            digest=digest,
            replaced=line.replaced + 1 if line is not None else 0,
        )

    def _receipt(self, sorted_: Sorted, lines: Sequence[Line], known: Known) -> Receipt:
        batch = sorted_.batch
        custody = Custody(
            dataset=self.dataset,
            scope=self.scope,
            border=self.border,
            released=self.sorter.released,
        )
        mine = {(line.region, line.site) for line in lines}
        others = [line for line in _held(known) if (line.region, line.site) not in mine]
        return Receipt(
            batch=name_of(batch),
            dataset=self.dataset.name,
            site=batch.piece.site,
            last=batch.last,
            read=batch.read,
            census=sorted_.census,
            erased=sorted_.count(ERASED),
            superseded=sorted_.count(SUPERSEDED),
            waiting=custody.waiting(sorted_),
            lines=(*lines, *others),
            decisions=sorted_.decisions,
            bytes_read=batch.rows.nbytes,
            label=batch.piece.label,
        )


def digest_of(digester: Digester, dataset: Dataset, rows: pa.Table) -> str:
    """Return the multiset digest of a parcel's rows: carried by line, typed by value."""
    if dataset.carried:
        return digester.lines(rows.column(LINE)).multiset()
    return digester.records(rows).multiset()


def complete(receipt: Receipt | None, scope: Sequence[Region]) -> bool:
    """Say whether a batch needs nothing more for the regions of ``scope``."""
    if receipt is None:
        return False
    have = {(line.region, line.site) for line in receipt.lines}
    return all(
        (region.name, site) in have
        for region in scope
        if receipt.census.get(region.name, 0)
        for site in destinations(region)
    )


def _holds(line: Line, digest: str, rows: int) -> bool:
    return (line.digest, line.rows) == (digest, rows)


def _held(known: Known) -> tuple[Line, ...]:
    return known.receipt.lines if known.receipt is not None else ()


def destinations(region: Region) -> tuple[SiteName, ...]:
    """Return where a region's records go: its home, and its standby where it has one."""
    return (region.home, *((region.standby,) if region.standby is not None else ()))


def destined(
    datasets: Iterable[DatasetName], scope: Sequence[Region]
) -> Iterator[tuple[DatasetName, RegionName, SiteName]]:
    """Yield each dataset with each region and each site that its records go to."""
    for name in datasets:
        for region in scope:
            for site in destinations(region):
                yield name, region.name, site
