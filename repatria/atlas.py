"""The atlas: the regions in order, and from a column of countries to their indices.

A country is matched exactly, after the configured aliases. Lower case, blanks around a code
and codes nobody assigned are unknown, and unknown is never guessed: the wrong guess would
put a person's records under the wrong law. Costs one hash look-up per row (about 50 ns), or
one per distinct value of a dictionary column.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from repatria.countries import COUNTRIES
from repatria.errors import BadObject
from repatria.names import RegionName
from repatria.site import Region

ELSEWHERE: Final = -1
"""The code of a country that belongs to no region: the record stays."""

UNKNOWN: Final = -2
"""The code of a null, and of anything that is not a country."""

Codes = npt.NDArray[np.int32]


class Atlas:
    """Regions in order of their names; a region's index is its place in ``regions``."""

    def __init__(self, regions: tuple[Region, ...], aliases: Mapping[str, str]) -> None:
        self.regions = tuple(sorted(regions, key=lambda region: region.name))
        self.names = tuple(region.name for region in self.regions)
        known = dict.fromkeys(sorted(COUNTRIES), ELSEWHERE)
        for index, region in enumerate(self.regions):
            for country in region.countries:
                assert known[country] == ELSEWHERE, "a country stands in one region"
                known[country] = index
        known |= {alias: known[country] for alias, country in aliases.items()}
        self.digest = _digest(self.regions, aliases)
        self._known = pa.array(list(known), pa.string())
        self._codes = np.array([*known.values(), UNKNOWN], dtype=np.int32)

    def index(self, name: RegionName) -> int:
        """Return the index of a region that is in the atlas."""
        return self.names.index(name)

    def codes(self, countries: pa.Array[Any] | pa.ChunkedArray[Any]) -> Codes:
        """Return one code per row: a region's index, ``ELSEWHERE`` or ``UNKNOWN``.

        Takes text in any of Arrow's layouts, dictionaries of it, and a column of nulls alone.
        Raises ``BadObject`` for a column of another type.
        """
        chunks = countries.chunks if isinstance(countries, pa.ChunkedArray) else [countries]
        _require_text(countries.type)
        found = [self._chunk(chunk) for chunk in chunks]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int32)

    def _chunk(self, chunk: pa.Array[Any]) -> Codes:
        if isinstance(chunk, pa.DictionaryArray):
            per_value = np.append(self._values(chunk.dictionary), np.int32(UNKNOWN))
            return per_value[_places(chunk.indices, len(chunk.dictionary))]
        return self._values(chunk)

    def _values(self, values: pa.Array[Any]) -> Codes:
        if pa.types.is_null(values.type):
            return np.full(len(values), UNKNOWN, dtype=np.int32)
        if pa.types.is_string_view(values.type):
            values = values.cast(pa.large_string())
        found = pc.index_in(values, value_set=self._known.cast(values.type))
        return self._codes[_places(found, len(self._known))]


def _digest(regions: tuple[Region, ...], aliases: Mapping[str, str]) -> str:
    """Name what this atlas decides: SHA-256 over regions with their countries, and aliases."""
    told = [[region.name, sorted(region.countries)] for region in regions]
    return hashlib.sha256(json.dumps([told, sorted(aliases.items())]).encode()).hexdigest()


def _places(indices: pa.Array[Any], absent: int) -> npt.NDArray[np.int64]:
    """Return indices as NumPy's, ``absent`` in place of nulls."""
    return indices.cast(pa.int64()).fill_null(absent).to_numpy(zero_copy_only=False)


def _require_text(kind: pa.DataType) -> None:
    inner = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_null,
    )
    if not any(test(inner) for test in tests):
        raise BadObject("the country column is not text", type=type(kind).__name__)
