"""Sizes: bytes as a number, or as a person writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

PATTERN: Final = r"^[0-9]{1,15}(\.[0-9]{1,6})? ?(B|kB|MB|GB|TB|PB|KiB|MiB|GiB|TiB|PiB)$"
_PARTS: Final = re.compile(r"([0-9.]+) ?([A-Za-z]+)")
_DECIMAL: Final = {
    unit: 1000**power for power, unit in enumerate(("B", "kB", "MB", "GB", "TB", "PB"))
}
_BINARY: Final = {f"{unit}iB": 1024**power for power, unit in enumerate("KMGTP", start=1)}
_UNITS: Final = _DECIMAL | _BINARY


def size(value: object) -> object:
    """Return the bytes that a text such as ``128 MiB`` says; anything else as it is.

    Raises ``ValueError`` for another text, and for one that is no whole number of bytes.
    """
    if not isinstance(value, str):
        return value
    if not re.fullmatch(PATTERN, value) or value.endswith("\n"):
        raise ValueError("expected bytes: a whole number, or a text such as '128 MiB' or '2 TB'")
    match = _PARTS.fullmatch(value)
    assert match, "the pattern has these parts"
    whole, _, rest = match[1].partition(".")
    count, remainder = divmod(int(whole + rest) * _UNITS[match[2]], 10 ** len(rest))
    if remainder:
        raise ValueError("expected a whole number of bytes")
    return count


def written(count: int) -> str:
    """Write bytes as a person would, if a binary unit divides them; else as a number."""
    for unit, one in sorted(_BINARY.items(), key=lambda pair: -pair[1]):
        if count and count % one == 0:
            return f"{count // one} {unit}"
    return str(count)


@dataclass(frozen=True, slots=True)
class Bytes:
    """Marks an ``int`` as a size between two bounds: ``134217728``, ``128 MiB`` or ``2 TB``."""

    least: int = 1
    most: int = 2**60

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate a text or a whole number."""
        return core_schema.no_info_before_validator_function(
            size, core_schema.int_schema(strict=True, ge=self.least, le=self.most)
        )

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe both ways of writing it."""
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": PATTERN}], "title": "bytes"}
