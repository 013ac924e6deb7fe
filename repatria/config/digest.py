"""The canonical form of a configuration, its digest, and what changed between two of them.

Canonical form: JSON of the nouns, every default filled in and every region written out, keys
sorted, no blanks, paths as they were written. So neither the layout of files, nor the order
of keys, nor a comment, nor where the folder lies has a part in the digest. Nor
has the runner: whoever works through stripes moves the same records.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from repatria.config.loaded import Config

ABSENT: Final = "nothing"
_OWN: Final = ("canonical", "digest", "runner")
_SHOWN_CHARACTERS: Final = 60


def canonical(config: Config) -> str:
    """Return the canonical form of a configuration whose paths are as they were written."""
    whole = {
        field.name: _json(getattr(config, field.name))
        for field in dataclasses.fields(config)
        if field.name not in _OWN
    }
    whole["regions"] = {region.name: _json(region) for region in config.regions}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """Return the SHA-256 of a canonical form, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def changes(old: str, new: str) -> tuple[str, ...]:
    """Name what differs between two canonical forms, one line for each value, in order.

    A line reads ``datasets.profiles.prefix: 'a/' → 'b/'``. Neither form holds a secret.
    """
    before, after = (dict(_leaves(json.loads(text), "")) for text in (old, new))
    return tuple(
        f"{path}: {_shown(before, path)} → {_shown(after, path)}"
        for path in sorted(before.keys() | after.keys())
        if _shown(before, path, whole=True) != _shown(after, path, whole=True)
    )


def _json(value: Any) -> Any:  # noqa: ANN401 - the nouns hold many types, all of them below.
    """Write a noun as JSON's own types; an unknown type is a bug."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: _json(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): _json(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(_json(inner) for inner in value)
    if isinstance(value, tuple):
        return [_json(inner) for inner in value]
    return _plain(value)


def _plain(value: object) -> str | int | float | bool | None:
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, date):
        return value.isoformat()
    assert value is None or isinstance(value, str | int | float), type(value)
    return value


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    else:
        yield path, value


def _shown(leaves: Mapping[str, object], path: str, *, whole: bool = False) -> str:
    if path not in leaves:
        return ABSENT
    text = repr(leaves[path])
    return text if whole or len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
