"""Sizes: bytes as a number, or as a person writes them."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

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


Size = Annotated[
    int,
    BeforeValidator(size),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": PATTERN}],
            "title": "bytes, such as 128 MiB",
        }
    ),
]
"""Bytes: ``134217728`` or ``128 MiB`` (binary units), ``2 TB`` (decimal ones)."""
