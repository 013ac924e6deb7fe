"""Problems of a configuration: each says where it stands, what stands there, and what should.

A value is shown only where it cannot be a secret: never below ``credentials``, never under a
key that nobody knows, never anything with the looks of a key or of a user in an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

Path = tuple[str | int, ...]
"""Where something stands: keys and positions from the top of the configuration."""

SHOWN_CHARACTERS: Final = 60
_SECRETIVE: Final = re.compile(
    r"(AKIA|ASIA)[A-Z0-9]{12,}|[A-Za-z0-9/+]{40}|-----BEGIN|://.*@|pass(word|wd)?=",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a file of the configuration."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that must be mended. ``value`` is what ``shown`` made of it, or empty."""

    path: Path
    says: str
    value: str = ""
    mark: Mark | None = None

    def found(self, marks: Mapping[Path, Mark]) -> Problem:
        """Return this problem with the line of its path, or of what encloses it."""
        if self.mark is not None:
            return self
        for end in range(len(self.path), 0, -1):
            if self.path[:end] in marks:
                return replace(self, mark=marks[self.path[:end]])
        return self

    def __str__(self) -> str:
        where = f"{self.mark.file}:{self.mark.line}: " if self.mark else ""
        path = ".".join(str(part) for part in self.path)
        named = " = ".join(part for part in (path, self.value) if part)
        return f"{where}{named}: {self.says}" if named else f"{where}{self.says}"


def shown(value: object, path: Path = ()) -> str:
    """Write a value as a message may show it: short, on one line, or not at all."""
    if "credentials" in path or not isinstance(value, str | int | float | bool | None):
        return ""
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    if _SECRETIVE.search(text):
        return "(not shown)"
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
