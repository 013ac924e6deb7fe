"""Admission, before anything is read: the gate for every region, and what the stores honour.

A refusal that is certain should come first, not after hours. A source that breaks what reading
depends on is refused where it is opened (``House.source``), whoever opens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from flows.promises import of_target
from flows.wiring import House
from repatria.border import Place
from repatria.errors import ResidencyRefused, StoreRefused
from repatria.gating import house_gate
from repatria.names import DatasetName, SiteName
from repatria.ports.rules import Passage
from repatria.promises import READING_BACK, WRITING, broken
from repatria.site import Region
from repatria.transfer import destinations


def admit(
    house: House,
    datasets: Iterable[DatasetName],
    scope: Iterable[Region],
    places: Mapping[SiteName, Place],
    *,
    live: bool,
) -> None:
    """Ask the gate about every region and its destinations; raise ``ResidencyRefused``.

    A live run also asks what each destination honours, and raises ``StoreRefused``.
    """
    gate = house_gate(house.config.enclave_jurisdictions, live=live)
    origin = house.config.sites[house.config.primary]
    ways = [(region, places[site]) for region in scope for site in destinations(region)]
    for name, (region, place) in product(datasets, ways):
        passage = Passage(
            dataset=house.config.datasets[name],
            region=region,
            rows=0,
            origin=origin,
            destination=place.site,
            observed=place.observed,
        )
        if (why := gate.refusal(passage)) is not None:
            raise ResidencyRefused(why, dataset=name, region=region.name)
    for site in sorted({place.site.name for _, place in ways}) if live else ():
        honours, candour = of_target(house, site)
        if (why := broken(WRITING, honours) or broken(READING_BACK, candour)) is not None:
            raise StoreRefused(why, site=site)
