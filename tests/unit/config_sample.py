"""A small configuration that is right, to spoil in one place at a time."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from repatria.config.load import load
from repatria.errors import ConfigRefused

Tree = dict[str, Any]


def _site(role: str, jurisdiction: str, region: str, bucket: str) -> Tree:
    store = {"region": region, "bucket": bucket, "credentials": {"profile": "reader"}}
    return {"role": role, "jurisdiction": jurisdiction, "phase": "open", "store": store}


_GOOD: Tree = {
    "sites": {
        "us-east": _site("legacy-primary", "US", "us-east-1", "acme-users"),
        "singapore": _site("legacy-backup", "SG", "ap-southeast-1", "acme-users-backup"),
        "dublin-1": _site("enclave", "IE", "eu-west-1", "acme-eu-dublin-1"),
        "hamar": _site("enclave", "NO", "no-hamar-1", "acme-eu-hamar"),
    },
    "regions": {
        "ready_made": ["EU27", "NO"],
        "home": {"default": "dublin-1"},
        "standby": {"default": "hamar"},
        "country_aliases": {"EL": "GR"},
    },
    "datasets": {
        "profiles": {
            "prefix": "profiles/",
            "format": "parquet",
            "identity": ["user_id"],
            "user": "user_id",
            "residency": {"column": "country"},
        },
        "posts": {
            "prefix": "posts/",
            "format": "jsonl",
            "identity": [{"name": "post_id", "type": "int64"}],
            "user": "user_id",
            "residency": {"directory": "profiles"},
        },
    },
    "state": {"folder": "state", "jurisdiction": "IE"},
}
_GOOD["sites"]["hamar"]["store"]["endpoint"] = "https://s3.hamar.example.net"


class _WrittenOut(yaml.SafeDumper):
    """Writes what occurs twice twice, since aliases are refused."""

    def ignore_aliases(self, data: object) -> bool:
        return True


REMOVE = object()
"""Stands for "leave this key out"."""


def good() -> Tree:
    """Return the configuration, to do with as you please."""
    return copy.deepcopy(_GOOD)


def changed(path: str, value: object, tree: Tree | None = None) -> Tree:
    """Return the configuration with one thing in it changed, added or removed."""
    tree = good() if tree is None else tree
    *outer, last = path.split("/")
    node: Any = tree
    for part in outer:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    if value is REMOVE:
        del node[last]
    else:
        node[last] = value
    return tree


def written(folder: Path, tree: Tree) -> Path:
    """Write a configuration, one file for each section."""
    folder.mkdir(exist_ok=True)
    for section, value in tree.items():
        text = yaml.dump({section: value}, Dumper=_WrittenOut, sort_keys=False)
        (folder / f"{section}.yaml").write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path) -> list[str]:
    """Return the lines of the refusal of a folder."""
    with pytest.raises(ConfigRefused) as caught:
        load(folder)
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert caught.value.facts["problems"] == len(lines) - 2
    return lines[1:-1]
