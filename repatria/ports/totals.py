"""The port of sums that the ledger makes itself, so that status never reads every receipt.

They add up the receipts that stand: nothing of an older version of a source is in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from repatria.names import DatasetName, RegionName


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Sums over receipts, for one dataset and region."""

    dataset: DatasetName
    region: RegionName
    batches: int
    rows: int
    bytes: int


class Totals(Protocol):
    """Sums over receipts."""

    def moved(self) -> Sequence[Progress]:
        """Return what stands in parcels, per dataset and region (home sites only)."""
        ...

    def accounts(self) -> Mapping[DatasetName, Mapping[str, int]]:
        """Return per dataset: batches, read, erased, quarantined, superseded, bytes."""
        ...
