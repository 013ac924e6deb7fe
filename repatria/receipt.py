"""Receipts: the balanced account of a batch.

``read = moved + stayed + erased + quarantined + superseded`` (law 1). A receipt has an
*account*, written once per (slice, ordinal, version) and replaced only when the batch is
opened again, and *lines*, one per region that moved: the line is the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from repatria.batch import UNDECODED, Reason
from repatria.errors import Unbalanced
from repatria.names import DatasetName, Ordinal, RegionName, SiteName, SliceId
from repatria.stored import ObjectVersion

ELSEWHERE = RegionName("-")
"""Stands in a census for every country that belongs to no region: those records stay for good."""


@dataclass(frozen=True, slots=True)
class BatchName:
    """Which batch: the slice, the ordinal in it, and the version of the source."""

    slice: SliceId
    ordinal: Ordinal
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where the records of one batch for one region went, at one site.

    ``digest`` is the multiset digest of the records (docs/formats), ``sha256`` that of the
    stored bytes; ``replaced`` counts how often the parcel was replaced. ``merkle`` is the root over
    the sorted record digests, where it was asked for.
    """

    region: RegionName
    site: SiteName
    rows: int
    object: ObjectVersion
    sha256: str
    digest: str
    replaced: int = 0
    merkle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Records of one batch that wait in quarantine for one reason.

    ``positions`` says where they stand in the source; with no ``rows``, where those stand that
    a person released. ``kept`` is the enclave object that holds them, where the law allowed one;
    ``region`` is None where it is not known.
    """

    reason: Reason
    region: RegionName | None
    rows: int
    positions: tuple[int, ...] = field(repr=False)
    site: SiteName | None = None
    kept: ObjectVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The balanced account of a batch.

    ``census`` counts the records that resolved to each region and were neither erased,
    superseded nor quarantined; regions in it without a line *stayed*. ``decisions`` is the
    SHA-256 of the row-by-row residency decisions, after a mark of what they were made under (the
    atlas, the contest) and a colon: the same version read again must give it again.
    ``bytes_read`` counts decoded bytes; ``label`` is what messages call the slice (empty: its id).
    """

    batch: BatchName
    dataset: DatasetName
    site: SiteName
    last: bool
    read: int
    census: Mapping[RegionName, int]
    erased: int
    superseded: int
    waiting: tuple[Waiting, ...]
    lines: tuple[Line, ...]
    decisions: str
    bytes_read: int
    label: str = ""

    @property
    def rows(self) -> int:
        """Records that were decoded: those that the contest has a standing for."""
        undecoded = sum(entry.rows for entry in self.waiting if entry.reason in UNDECODED)
        return self.read - undecoded

    @property
    def moved(self) -> int:
        """Records that stand in a parcel at their home."""
        home = {line.region: line.rows for line in self.lines}
        return sum(home.values())

    @property
    def stayed(self) -> int:
        """Records of regions that this receipt has no line for."""
        gone = {line.region for line in self.lines}
        return sum(rows for region, rows in self.census.items() if region not in gone)

    @property
    def quarantined(self) -> int:
        """Records that wait, or waited and were dropped."""
        return sum(entry.rows for entry in self.waiting)

    def checked(self) -> Receipt:
        """Return this receipt, or raise ``Unbalanced``: the only gate to the ledger."""
        out = self.moved + self.stayed + self.erased + self.quarantined + self.superseded
        if out != self.read:
            raise Unbalanced(
                "a batch does not balance", read=self.read, accounted=out, slice=self.batch.slice
            )
        for line in self.lines:
            if line.rows != self.census.get(line.region, 0):
                raise Unbalanced(
                    "a line does not agree with the census",
                    region=line.region,
                    line=line.rows,
                    census=self.census.get(line.region, 0),
                    slice=self.batch.slice,
                )
        return self
