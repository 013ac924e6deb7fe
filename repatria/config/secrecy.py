"""No secret stands in a configuration: what looks like one is refused before anything reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from repatria.config.problem import Path, Problem

SAYS: Final = "never write secrets in config; use credentials: {profile: …}"

_KEY: Final = re.compile(
    r"secret|passw|passphrase|token|api_?key|private_?key|access_?key|^credential$", re.IGNORECASE
)
_VALUE: Final = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY")
_NAMED_BY_PEOPLE: Final = (
    ("sites", "*"),
    ("datasets", "*"),
    ("datasets", "*", "fields", "*"),
    ("prices", "sites", "*"),
    ("regions", "groups", "*"),
    ("regions", "country_aliases", "*"),
)
"""Where keys are names, so that a column ``password_hash`` can have its class."""


def secrets(tree: object, path: Path = ()) -> Iterator[Problem]:
    """Yield a problem for each key that promises a secret, and for each value that looks so."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            here = (*path, key)
            if _KEY.search(key) and not _is_a_name(here):
                yield Problem(here, SAYS)
            else:
                yield from secrets(inner, here)
    elif isinstance(tree, list):
        for index, inner in enumerate(tree):
            yield from secrets(inner, (*path, index))
    elif isinstance(tree, str) and _VALUE.search(tree):
        yield Problem(path, SAYS)


def _is_a_name(path: Path) -> bool:
    return any(
        len(names) == len(path)
        and all(name in ("*", part) for name, part in zip(names, path, strict=True))
        for names in _NAMED_BY_PEOPLE
    )
