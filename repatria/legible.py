"""Text of strangers made fit to be shown: a name may not move a cursor, forge a line, or flow back.

Object keys and column names may hold line ends, escape sequences and marks that turn the direction
of writing. In labels and messages such characters stand as their escapes.
"""

from __future__ import annotations

from typing import Final

CHARACTERS_MAX: Final = 2_000
"""More is cut off: a key of S3 has 1,024 bytes at most."""


def legible(text: str) -> str:
    """Return a text as it is if all of it can be shown, else with escapes for what cannot."""
    if len(text) > CHARACTERS_MAX:
        text = text[:CHARACTERS_MAX] + "…"
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
