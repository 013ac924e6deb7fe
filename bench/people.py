"""Who is in the data, and where they belong: the demonstration's people, in two regions.

Two regions, at two homes, are what the split is measured with; a region per country writes the
same rows in more objects, for every contender.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.world.people import EUROPEAN, People, Texts, prefixed
from flows.world.profiles import rows_of

SEED: Final = 20261123
OBJECT_ROWS: Final = 300_000
USERS: Final = 60_000_000
"""More than any run asks for: who person number *n* is depends on the seed alone."""

NORTH: Final = ("NO", "SE", "DK", "FI", "IS", "EE", "LV", "LT", "PL", "DE", "NL")
WEST: Final = tuple(country for country in EUROPEAN if country not in NORTH)
REGIONS: Final[Mapping[str, tuple[str, ...]]] = {"NORTH": NORTH, "WEST": WEST}
HOMES: Final = {"NORTH": "hamar", "WEST": "dublin-1"}
HOME_OF: Final = {country: home for name, home in HOMES.items() for country in REGIONS[name]}


_ABOUT_BYTES: Final = 64
_LETTERS: Final = np.frombuffer(
    b"etaoinshrdlucmfwypvbgkqjxz ETAOINSHRDLUCMFWYP VBGKQJXZ0123456789", np.uint8
)


def profiles(number: int, rows: int = OBJECT_ROWS) -> pa.Table:
    """Return the profiles of object ``number``: 16 columns, about 35 % of the rows European."""
    people = People(USERS, SEED)
    numbers = np.arange(number * rows, (number + 1) * rows)
    about = _about(people.random(4, number), rows)
    return rows_of(people, numbers, purpose=number).append_column("about", about)


def _about(random: np.random.Generator, rows: int) -> Texts:
    """Make a text that packs badly, as what people write does; some write nothing."""
    text = prefixed("", _LETTERS[random.integers(0, len(_LETTERS), (rows, _ABOUT_BYTES))])
    written = pa.array(random.random(rows) < 0.85)
    some: Texts = pc.if_else(written, text, pa.scalar(None, pa.string()))
    return some
