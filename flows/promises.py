"""What stores were seen to honour: tried once, and noted in the state folder.

A note stands under all that is configured of its store. None is made of what could not be seen,
nor of what refuses a store: one damaged answer can make an honest store look like a liar, and must
not do so for ever. The doctor forgets all notes before it tries anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.disk import write_whole
from repatria.doctor import PROBE_KEY
from repatria.errors import StoreRefused
from repatria.names import SiteName
from repatria.promises import READING, READING_BACK, WRITING, broken, candour_of
from repatria.stored import Candour, Honours

if TYPE_CHECKING:
    from flows.wiring import House

_KNOWN: Final = repr([field.name for kind in (Honours, Candour) for field in fields(kind)])
"""Part of a note's name, so that one of another version of Repatria is not taken for ours."""


def of_target(house: House, site: SiteName) -> tuple[Honours, Candour]:
    """Return what a destination was seen to honour, trying it if nobody did yet.

    Where nothing can be written the rest is not tried, and nothing is noted.
    """
    note = _note(house, site)
    if note.exists():
        held = json.loads(note.read_text("utf-8"))
        return Honours(**held["honours"]), Candour(**held["candour"])
    bucket, key = house.bucket(site, live=True), house.config.stores[site].prefix + PROBE_KEY
    honours = bucket.probe(key)
    if broken(WRITING, honours) is not None:
        return honours, Candour()
    candour = bucket.probe_reads(f"{key}/")
    if broken(READING_BACK, candour) is None:
        write_whole(note, json.dumps({"honours": asdict(honours), "candour": asdict(candour)}))
    return honours, candour


def of_source(house: House, site: SiteName) -> Candour:
    """Return what a source was seen to honour, trying it if nobody did yet.

    Raises ``StoreRefused`` where it breaks what no other way answers for.
    """
    note = _note(house, site)
    if note.exists():
        seen = Candour(**json.loads(note.read_text("utf-8"))["candour"])
    else:
        front = house.config.stores[site].prefix
        prefixes = [front + dataset.prefix for dataset in house.config.datasets.values()]
        seen = candour_of(house.bucket(site, live=False), prefixes)
        if seen.ranges is not None and broken(READING, seen) is None:
            write_whole(note, json.dumps({"candour": asdict(seen)}))
    if (why := broken(READING, seen)) is not None:
        raise StoreRefused(why, site=site)
    return seen


def forget(house: House) -> None:
    """Forget what stores were seen to honour, so that each is tried anew."""
    shutil.rmtree(_folder(house), ignore_errors=True)


def _folder(house: House) -> Path:
    return house.state / "promises"


def _note(house: House, site: SiteName) -> Path:
    store = house.config.stores[site]
    configured = hashlib.sha256(f"{store!r} {_KNOWN}".encode()).hexdigest()
    return _folder(house) / f"{site}-{configured[:32]}.json"
