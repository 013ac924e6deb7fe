"""Configurations as a user writes them, for servers that live as long as a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.world.servers import World
from flows.world.sites import SITES
from repatria.countries import READY_MADE

Tree = dict[str, Any]

GROUPS: Mapping[str, tuple[str, ...]] = {
    "IE": ("IE",),
    "DACH": ("AT", "CH", "DE", "LI"),
    "NORDIC": ("DK", "EE", "FI", "IS", "LT", "LV", "NO", "SE"),
}
"""The regions of the tests; every other European country is in the region ``WEST``."""

EUROPE = frozenset(country for name in READY_MADE for country in READY_MADE[name])

DATASETS: Tree = {
    "profiles": {
        "prefix": "profiles/",
        "format": "parquet",
        "identity": ["user_id"],
        "user": "user_id",
        "version": {"name": "version", "type": "int64"},
        "residency": {"column": "country"},
    },
    "posts": {
        "prefix": "posts/",
        "format": "jsonl",
        "identity": [{"name": "post_id", "type": "int64"}],
        "user": "user_id",
        "residency": {"directory": "profiles"},
    },
    "logins": {
        "prefix": "logins/",
        "format": "csv",
        "identity": ["user_id", {"name": "at", "type": "timestamp"}],
        "user": "user_id",
        "residency": {"directory": "profiles"},
    },
}


def regions() -> dict[str, tuple[str, ...]]:
    """Return the countries of each region: four regions are quicker to move than thirty-two."""
    rest = EUROPE - {country for countries in GROUPS.values() for country in countries}
    return {**GROUPS, "WEST": tuple(sorted(rest))}


def site(role: str, jurisdiction: str, store: Tree, **more: Any) -> Tree:
    """Describe one open site."""
    return {
        "role": role,
        "jurisdiction": jurisdiction,
        "phase": "open",
        "store": {"path_style": True, "credentials": {"environment": "LIVE_TEST"}, **store},
        **more,
    }


def of_world(world: World, root: str = "", endpoints: Mapping[str, str] | None = None) -> Tree:
    """Describe the embedded world, with homes below ``root`` and, if need be, other endpoints."""
    sites = {}
    for it in SITES:
        store = {
            "endpoint": (endpoints or {}).get(it.name, world.endpoint(it.name)),
            "region": it.location,
            "bucket": it.bucket,
            "prefix": root if it.role == "enclave" else "",
        }
        sites[str(it.name)] = site(str(it.role), it.jurisdiction, store)
    return {
        "sites": sites,
        "regions": {
            "groups": {name: {"countries": list(them)} for name, them in regions().items()},
            "home": {"default": "dublin-1", "DACH": "dublin-2", "NORDIC": "hamar"},
            "standby": {"IE": "hamar", "DACH": "dublin-1"},
        },
        "datasets": DATASETS,
        "limits": {"lease_s": 1, "stripe_slices": 4},
        "state": {"folder": "../state", "jurisdiction": "IE"},
        "runner": "threads",
    }


def write(folder: Path, tree: Tree) -> Path:
    """Write a configuration below ``folder``, in place of the one that stood there; return it."""
    config = folder / "config"
    config.mkdir(exist_ok=True)
    (config / "everything.yaml").write_text(json.dumps(tree, indent=2), encoding="utf-8")
    return config
