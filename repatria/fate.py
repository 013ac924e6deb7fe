"""Fates: what becomes of each record of a batch. One array of codes, so that no row has two.

Precedence, and why: a record of elsewhere *stays*, whatever else is true of it; an *erased* user
never comes back; a *superseded* copy does not count, so its flaws do not either; a conflict or an
orphan waits unless a person released it; and then residency decides.

A release by number is about the records that the person saw, known by where they stand. Where
others have joined them, for the same reason and region, all of them wait for a person again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from repatria.atlas import ELSEWHERE, Atlas, Codes
from repatria.batch import Batch, Positions, Reason, taken_from
from repatria.contest import Standing
from repatria.names import RegionName
from repatria.receipt import ELSEWHERE as ELSEWHERE_NAME
from repatria.residency import reason_of

STAYS: Final = -1
ERASED: Final = -2
SUPERSEDED: Final = -3
_WAITS: Final = -16
_REASONS: Final = tuple(Reason)
_CONTESTED: Final = {Standing.CONFLICT: Reason.CONFLICT, Standing.ORPHAN: Reason.ORPHAN}


def waits(reason: Reason) -> int:
    """Return the fate of a record that waits for ``reason``."""
    return _WAITS - _REASONS.index(reason)


@dataclass(frozen=True, slots=True)
class Released:
    """Which contested records a person released: whole reasons, or some records of a region.

    ``entries`` has the positions that were released for a reason in a region (None: not known).
    """

    reasons: frozenset[Reason] = frozenset()
    entries: Mapping[tuple[Reason, RegionName | None], frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of each row, besides its residency: equal lengths."""

    erased: npt.NDArray[np.bool_]
    standing: npt.NDArray[np.uint8]
    positions: Positions
    released: Released = field(default_factory=Released)


def decide(codes: Codes, evidence: Evidence, atlas: Atlas) -> Codes:
    """Return the fate of each row: a region's index, or one of the codes of this module."""
    assert len(codes) == len(evidence.erased) == len(evidence.standing), "one of each per row"
    assert len(codes) == len(evidence.positions), "each row stands somewhere"
    fates = codes.copy()
    for code in np.unique(codes[codes < ELSEWHERE]):
        fates[codes == code] = waits(reason_of(int(code)))
    if not (evidence.erased.any() or evidence.standing.any()):
        return fates
    here = codes != ELSEWHERE
    for standing, reason in _CONTESTED.items():
        contested = here & ~evidence.erased & (evidence.standing == standing)
        free = _released(np.where(contested, codes, ELSEWHERE), reason, evidence, atlas)
        fates[contested & ~free] = waits(reason)
    fates[here & (evidence.standing == Standing.SUPERSEDED)] = SUPERSEDED
    fates[here & evidence.erased] = ERASED
    return fates


def _released(
    codes: Codes, reason: Reason, evidence: Evidence, atlas: Atlas
) -> npt.NDArray[np.bool_]:
    """Return which rows are released; ``codes`` is ``ELSEWHERE`` where nothing is contested."""
    if reason in evidence.released.reasons:
        return np.ones(len(codes), dtype=np.bool_)
    free = np.zeros(len(codes), dtype=np.bool_)
    for (released, region), positions in evidence.released.entries.items():
        if released is reason:
            group = (codes < ELSEWHERE) if region is None else (codes == atlas.index(region))
            seen = np.fromiter(positions, dtype=np.uint64, count=len(positions))
            if np.isin(evidence.positions[group], seen).all():
                free |= group
    return free


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A batch whose every row has one fate.

    ``codes`` is the residency of each row, ``fates`` what becomes of it; both int32, one per row.
    """

    batch: Batch
    atlas: Atlas
    codes: Codes
    fates: Codes
    decisions: str

    @property
    def census(self) -> Mapping[RegionName, int]:
        """Count the rows that would move, per region, and those that stay for good.

        A region whose rows all have another fate stands in it with 0: it was seen.
        """
        counts = self._counts(self.fates)
        seen = np.flatnonzero(self._counts(self.codes))
        census = {self.atlas.regions[index].name: int(counts[index]) for index in seen}
        stays = self.count(STAYS)
        return {**census, ELSEWHERE_NAME: stays} if stays else census

    def _counts(self, codes: Codes) -> npt.NDArray[np.int64]:
        """Count the rows of each region in an array of codes or fates."""
        places = np.maximum(codes, -1) + 1
        return np.bincount(places, minlength=len(self.atlas.regions) + 1)[1:]

    def count(self, fate: int) -> int:
        """Count the rows of one fate."""
        return int(np.count_nonzero(self.fates == fate))

    def waiting(self) -> list[tuple[Reason, RegionName | None, npt.NDArray[np.int64]]]:
        """Return the rows that wait, by reason and by region (None: not known)."""
        found = []
        for fate in np.unique(self.fates[self.fates <= _WAITS]):
            reason = _REASONS[_WAITS - int(fate)]
            rows = np.flatnonzero(self.fates == fate)
            for code in np.unique(np.maximum(self.codes[rows], ELSEWHERE)):
                region = self.atlas.regions[code].name if code >= 0 else None
                found.append((reason, region, rows[np.maximum(self.codes[rows], -1) == code]))
        return found

    def split(self, regions: Collection[RegionName]) -> dict[RegionName, pa.Table]:
        """Return the rows of each of ``regions`` that has any, in their order in the batch.

        One ``take`` for all regions together, then slices of it: each row is copied once.
        """
        wanted = sorted(self.atlas.index(region) for region in regions)
        parts = [np.flatnonzero(self.fates == index) for index in wanted]
        taken = taken_from(self.batch.rows, np.concatenate([np.empty(0, np.int64), *parts]))
        tables, start = {}, 0
        for index, rows in zip(wanted, parts, strict=True):
            if len(rows):
                tables[self.atlas.regions[index].name] = taken.slice(start, len(rows))
                start += len(rows)
        return tables
