"""Plans as values: slices grouped into stripes, and the digest that names them.

The digest covers everything that decides what will be read, and nothing that depends on when
it was asked: equal inputs give an equal plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from repatria.limits import Limits
from repatria.names import DatasetName, PlanDigest, RegionName
from repatria.plan import Plan, Stripe
from repatria.slice import Slice, cut_text


@dataclass(slots=True)
class _Open:
    """A stripe that still takes slices."""

    slices: list[Slice] = field(default_factory=list)
    bytes: int = 0

    def full(self, limits: Limits) -> bool:
        return self.bytes >= limits.stripe_bytes or len(self.slices) >= limits.stripe_slices


def stripes(slices: Iterable[Slice], limits: Limits, first: int) -> Iterator[Stripe]:
    """Group slices of one dataset into stripes of one site each, numbered from ``first``.

    A stripe closes at ``stripe_bytes`` or ``stripe_slices``; small objects travel together.
    """
    growing: dict[str, _Open] = {}
    number = first
    for piece in slices:
        mine = growing.setdefault(piece.site, _Open())
        mine.slices.append(piece)
        mine.bytes += piece.bytes
        if mine.full(limits):
            yield _stripe(number, growing.pop(piece.site))
            number += 1
    for left in growing.values():
        yield _stripe(number, left)
        number += 1


def _stripe(number: int, grown: _Open) -> Stripe:
    return Stripe(number=number, dataset=grown.slices[0].dataset, slices=tuple(grown.slices))


class Digesting:
    """Stripes that pass through, digested on their way: SHA-256 over one line per slice."""

    def __init__(self, header: Mapping[str, object]) -> None:
        self._hash = hashlib.sha256(_line(header))
        self.stripe_count = self.slice_count = self.bytes = 0

    def through(self, stripes: Iterable[Stripe]) -> Iterator[Stripe]:
        """Yield ``stripes`` as they are."""
        for stripe in stripes:
            for piece in stripe.slices:
                self._hash.update(_line(_told(stripe, piece)))
            self.stripe_count += 1
            self.slice_count += len(stripe.slices)
            self.bytes += stripe.bytes
            yield stripe

    @property
    def digest(self) -> PlanDigest:
        """Return the digest of what has passed so far."""
        return PlanDigest(self._hash.hexdigest())


def _told(stripe: Stripe, piece: Slice) -> list[object]:
    return [
        stripe.number,
        piece.id,
        piece.dataset,
        piece.site,
        piece.version,
        piece.object.size,
        cut_text(piece.cut),
        piece.number,
    ]


def _line(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a plan is made for, besides what the listings hold. All of it is in the digest."""

    config_digest: str
    datasets: tuple[DatasetName, ...]
    regions: tuple[RegionName, ...]
    directories: Mapping[DatasetName, str]
    reconciled: Mapping[DatasetName, str]

    @property
    def header(self) -> Mapping[str, object]:
        """Return the first line of the plan's canonical form."""
        return {
            "v": 1,
            "config": self.config_digest,
            "datasets": list(self.datasets),
            "regions": sorted(self.regions),
            "directories": dict(self.directories),
            "reconciled": dict(self.reconciled),
        }

    def plan(self, passed: Digesting, made_at: datetime, valid_hours: int) -> Plan:
        """Name what has passed."""
        return Plan(
            digest=passed.digest,
            config_digest=self.config_digest,
            datasets=self.datasets,
            regions=tuple(sorted(self.regions)),
            directories=self.directories,
            reconciled=self.reconciled,
            stripe_count=passed.stripe_count,
            slice_count=passed.slice_count,
            bytes=passed.bytes,
            made_at=made_at,
            expires_at=made_at + timedelta(hours=valid_hours),
        )
