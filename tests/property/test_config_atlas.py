"""The atlas agrees, for any column, with what one would do by hand, row by row."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from repatria.atlas import ELSEWHERE, UNKNOWN, Atlas
from repatria.countries import COUNTRIES, EU27
from repatria.names import RegionName, SiteName
from repatria.site import Region

REGIONS = tuple(
    Region(name=RegionName(code), countries=frozenset({code}), home=SiteName("dublin-1"))
    for code in sorted(EU27)
)
ALIASES = {"UK": "GB", "EL": "GR", "ie": "IE"}
ATLAS = Atlas(REGIONS, ALIASES)
NAMES = [region.name for region in REGIONS]

VALUES = (
    st.none() | st.sampled_from(sorted(COUNTRIES)) | st.sampled_from([*ALIASES, "zz"]) | st.text()
)


def by_hand(value: str | None) -> int:
    country = ALIASES.get(value or "", value)
    if country not in COUNTRIES:
        return UNKNOWN
    return NAMES.index(RegionName(country)) if country in EU27 else ELSEWHERE


@given(st.lists(st.lists(VALUES, max_size=12), max_size=4), st.booleans(), st.integers(0, 6))
def test_any_column_is_coded_as_by_hand(
    parts: list[list[str | None]], encoded: bool, start: int
) -> None:
    chunks = [pa.array(part, pa.string()) for part in parts]
    whole = pa.chunked_array(chunks, pa.string())
    rows = (whole.dictionary_encode() if encoded else whole).slice(start)
    values = [value for part in parts for value in part][start:]
    assert ATLAS.codes(rows).tolist() == [by_hand(value) for value in values]
