"""Estimates: what a plan will take, from a sample that is read in part; never part of a plan.

Every figure is a ratio measured on the sample times what the listing counted. A sample of a
few slices is no census: shares carry a range, from the lowest to the highest slice seen. What
will move is estimated from the primary alone: most of what the backup contests is superseded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from repatria.errors import Archived, Spoilt
from repatria.names import RegionName, SiteName
from repatria.planner import Sample
from repatria.ports.records import Source
from repatria.ports.rules import Clock
from repatria.prices import Prices
from repatria.residency import Resolver
from repatria.site import Region, Site, SitePhase

_GB = 10**9


@dataclass(slots=True)
class Measured:
    """What a dataset's sample came to."""

    slices: int = 0
    stored: int = 0
    rows: int = 0
    decoded: int = 0
    refused: int = 0
    seconds: float = 0.0
    parcels: int = 0
    regions: Counter[RegionName] = field(default_factory=Counter)
    shares: list[float] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """Estimates one dataset after another."""

    regions: Sequence[Region]
    sites: Mapping[SiteName, Site]
    prices: Prices
    workers: int
    clock: Clock

    def dataset(
        self, sample: Sample, sources: Mapping[SiteName, Source], resolver: Resolver
    ) -> dict[str, object]:
        """Read a part of the sample and scale it up to the whole dataset."""
        measured = self.measure(sample, sources, resolver)
        listed = sample.listed
        scale = listed.primary_bytes / measured.stored if measured.stored else 0.0
        rows = round(measured.rows * scale)
        moving = sum(measured.regions.values())
        share = moving / measured.rows if measured.rows else 0.0
        low, high = min(measured.shares, default=share), max(measured.shares, default=share)
        moved_bytes = round(listed.primary_bytes * share)
        parcels = round(measured.parcels / max(1, measured.slices) * sample.slice_count)
        again = listed.bytes / max(1, listed.primary_bytes)
        seconds = measured.seconds * scale * again / max(1, self.workers)
        return {
            "objects": listed.objects,
            "bytes": listed.bytes,
            "slices": sample.slice_count,
            "mirrored": listed.mirrored,
            "contested": listed.contested,
            "archived": listed.archived,
            "archived_bytes": listed.archived_bytes,
            "rows": rows,
            "moving_rows": round(rows * share),
            "moving_rows_range": [round(rows * low), round(rows * high)],
            "moving_bytes": moved_bytes,
            "regions": {
                name: round(count / measured.rows * rows)
                for name, count in sorted(measured.regions.items())
            },
            "parcels": parcels,
            "requests": {
                "list": listed.objects // 1000 + 1,
                "get": sample.slice_count * 2 + parcels,
                "put": parcels,
            },
            "read_seconds": round(seconds, 1),
            "sampled_slices": measured.slices,
            "sampled_rows": measured.rows,
            "unreadable": measured.unreadable,
            "cost": self._cost(listed.bytes, parcels, sample),
        }

    def measure(
        self, sample: Sample, sources: Mapping[SiteName, Source], resolver: Resolver
    ) -> Measured:
        """Read the first batch of each sampled slice."""
        wanted = {region.name for region in self.regions}
        measured = Measured()
        for piece in sample.slices:
            began = self.clock.monotonic()
            try:
                batch = next(iter(sources[piece.site].batches(sample.dataset, piece, None)), None)
                if batch is None:
                    continue
                codes = resolver.resolve(batch.rows)
            except (Spoilt, Archived) as error:
                measured.unreadable.append(str(error))
                continue  # It will be reported by name when it is read for good.
            counts = np.bincount(codes[codes >= 0], minlength=len(resolver.atlas.regions))
            found = {
                region.name: int(counts[index])
                for index, region in enumerate(resolver.atlas.regions)
                if region.name in wanted and counts[index]
            }
            part = 1.0 if batch.last else min(1.0, batch.rows.nbytes / max(1, piece.bytes))
            measured.seconds += self.clock.monotonic() - began
            measured.slices += 1
            measured.stored += max(1, round(piece.bytes * part))
            measured.rows += batch.read
            measured.decoded += batch.rows.nbytes
            measured.refused += len(batch.refused)
            measured.parcels += len(found)
            measured.regions.update(found)
            measured.shares.append(sum(found.values()) / max(1, batch.read))
        return measured

    def _cost(self, read_bytes: int, parcels: int, sample: Sample) -> dict[str, object]:
        sites = {piece.site for piece in sample.slices}
        tariffs = [self.prices.tariffs[site] for site in sites if site in self.prices.tariffs]
        homes = {region.home for region in self.regions}
        puts = [
            self.prices.tariffs[site].put_per_1000 for site in homes if site in self.prices.tariffs
        ]
        if not tariffs or not puts:
            return {"known": 0}
        egress = max(t.egress_per_gb for t in tariffs) * read_bytes / _GB
        gets = max(t.get_per_1000 for t in tariffs) * sample.slice_count * 2 / 1000
        return {
            "known": 1,
            "currency": self.prices.currency,
            "egress": round(egress, 2),
            "requests": round(gets + max(puts) * parcels / 1000, 2),
        }


def not_read(sample: Sample, told: Mapping[str, object]) -> list[str]:
    """Say what of a sample could not be read, and why; or that there is nothing at all."""
    name = sample.dataset.name
    if not sample.listed.objects:
        return [f"{name}: no object under its prefix at the primary; see whether it is right"]
    whys = told["unreadable"]
    assert isinstance(whys, list), "one reason per slice"
    if not whys:
        return []
    return [f"{name}: {len(whys)} of {len(sample.slices)} sampled slices cannot be read: {whys[0]}"]


def frozen_away(sample: Sample) -> list[str]:
    """Say what must be restored from an archive before it can be read, and how."""
    listed = sample.listed
    if not listed.archived:
        return []
    what = f"{listed.archived} objects ({listed.archived_bytes} bytes) lie in an archive tier"
    how = "restore them (`aws s3api restore-object`: hours to days, at a price), then plan again"
    return [f"{sample.dataset.name}: {what} and are passed over: {how}"]


def warnings(
    regions: Sequence[Region], sites: Mapping[SiteName, Site], moving_bytes: Mapping[SiteName, int]
) -> list[str]:
    """Say what stands against a live run: sites that are not open, or too small."""
    told = []
    for name in sorted({region.home for region in regions}):
        site = sites[name]
        if site.phase is not SitePhase.OPEN:
            opens = f", opens {site.opens.isoformat()}" if site.opens is not None else ""
            told.append(f"{name} is {site.phase}{opens}: a live run refuses to write there")
        needed = moving_bytes.get(name, 0)
        if site.capacity_bytes is not None and needed > site.capacity_bytes:
            told.append(
                f"{name} has room for {site.capacity_bytes} bytes; about {needed} would come"
            )
    return told
