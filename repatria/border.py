"""The border: what every parcel passes, decided on its rows and on what was seen (law 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from repatria.dataset import Dataset
from repatria.errors import ResidencyRefused
from repatria.names import SiteName
from repatria.ports.records import Target
from repatria.ports.rules import Gate, Passage
from repatria.residency import Resolver
from repatria.site import Region, Site
from repatria.stored import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A destination: the site as configured, its store, and where that store was seen to be."""

    site: Site
    target: Target
    observed: Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """What parcels of one dataset pass: the gate, on the way from ``origin`` to a place."""

    gate: Gate
    origin: Site
    places: Mapping[SiteName, Place]
    resolver: Resolver

    def pass_through(self, dataset: Dataset, region: Region, rows: pa.Table, to: Place) -> None:
        """Let the rows of a parcel pass, or raise ``ResidencyRefused``.

        The rows are resolved once more, after the split: what stands in the table decides.
        """
        if rows.num_rows:
            codes = self.resolver.resolve(rows)
            if not (codes == self.resolver.atlas.index(region.name)).all():
                raise ResidencyRefused("a parcel holds other regions' records", region=region.name)
        passage = Passage(
            dataset=dataset,
            region=region,
            rows=rows.num_rows,
            origin=self.origin,
            destination=to.site,
            observed=to.observed,
        )
        if (why := self.gate.refusal(passage)) is not None:
            raise ResidencyRefused(why, dataset=dataset.name, region=region.name)
