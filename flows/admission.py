"""Admission, before anything is read: the gate for every region, and what the stores honour.

A refusal that is certain should come first, not after hours. What a store honours is tried once
and noted under what was configured for it; the doctor tries it anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import product
from pathlib import Path

from flows.wiring import House
from repatria.border import Place
from repatria.doctor import PROBE_KEY
from repatria.errors import ResidencyRefused, StoreRefused
from repatria.gating import broken_promise, house_gate
from repatria.names import DatasetName, SiteName
from repatria.ports.rules import Passage
from repatria.site import Region
from repatria.stored import Honours
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
        if (why := broken_promise(promises(house, site))) is not None:
            raise StoreRefused(why, site=site)


def promises(house: House, site: SiteName) -> Honours:
    """Return what a destination was seen to honour, trying it if nobody did yet."""
    note = _note(house, site)
    if note.exists():
        return Honours(**json.loads(note.read_text("utf-8")))
    prefix = house.config.stores[site].prefix
    seen = house.bucket(site, live=True).probe(prefix + PROBE_KEY)
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(seen)), "utf-8")
    fresh.replace(note)
    return seen


def forget(house: House) -> None:
    """Forget what stores were seen to honour, so that the next live run tries anew."""
    shutil.rmtree(house.state / "promises", ignore_errors=True)


def _note(house: House, site: SiteName) -> Path:
    """Return where a store's promises are noted: under all that is configured of it."""
    configured = hashlib.sha256(repr(house.config.stores[site]).encode()).hexdigest()
    return house.state / "promises" / f"{site}-{configured[:32]}.json"
