"""Plans: the frozen list of what will be read, named by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from repatria.names import DatasetName, PlanDigest, RegionName
from repatria.slice import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was decided, and (outside the digest) when, until when, and what it will take.

    ``directories`` names, for each dataset that others resolve through, the digest of the
    directory built from it. ``archived`` counts objects that must be restored first.
    """

    digest: PlanDigest
    config_digest: str
    datasets: tuple[DatasetName, ...]
    regions: tuple[RegionName, ...]
    directories: Mapping[DatasetName, str]
    reconciled: Mapping[DatasetName, str]
    stripe_count: int
    slice_count: int
    bytes: int
    made_at: datetime
    expires_at: datetime
    estimates: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripe:
    """A run of slices given to one worker; what one Prefect task runs."""

    number: int
    dataset: DatasetName
    slices: tuple[Slice, ...] = field(repr=False)

    @property
    def bytes(self) -> int:
        """Bytes of the objects as they lie in the store; a cut counts its share."""
        return sum(piece.bytes for piece in self.slices)
