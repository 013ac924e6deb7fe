"""From countries to regions: exact, and never guessed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from repatria.atlas import ELSEWHERE, UNKNOWN, Atlas
from repatria.errors import BadObject
from repatria.names import RegionName, SiteName
from repatria.site import Region

HOME = SiteName("dublin-1")


def region(name: str, *countries: str) -> Region:
    return Region(name=RegionName(name), countries=frozenset(countries), home=HOME)


ATLAS = Atlas((region("NO", "NO"), region("DACH", "DE", "AT", "CH")), {"EL": "GR", "dk": "DE"})
DACH, NO = 0, 1

LAYOUTS: list[pa.DataType] = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
    pa.dictionary(pa.uint16(), pa.string_view()),
]


def column(values: list[str | None], kind: pa.DataType) -> pa.Array[Any]:
    plain = pa.array(values, pa.string())
    if isinstance(kind, pa.DictionaryType):
        return plain.dictionary_encode().cast(kind)
    return plain.cast(kind)


def test_regions_stand_in_order_of_their_names_however_they_came() -> None:
    assert ATLAS.names == ("DACH", "NO")
    assert ATLAS.index(RegionName("NO")) == NO


@pytest.mark.parametrize("kind", LAYOUTS, ids=str)
def test_every_layout_of_text_gives_the_same_codes(kind: pa.DataType) -> None:
    values = ["NO", "DE", "CH", "US", None, "GR", "EL", "ZZ", ""]
    codes = ATLAS.codes(column(values, kind))
    expected = [NO, DACH, DACH, ELSEWHERE, UNKNOWN, ELSEWHERE, ELSEWHERE, UNKNOWN, UNKNOWN]
    assert codes.tolist() == expected
    assert codes.dtype == "int32"


@pytest.mark.parametrize("nearly", ["no", "No", " NO", "NO ", "NOR", "N\u004f\u0301", "NO\x00"])
def test_what_only_resembles_a_country_is_unknown(nearly: str) -> None:
    assert ATLAS.codes(pa.array([nearly])).tolist() == [UNKNOWN]


def test_an_alias_counts_as_its_country_whatever_it_looks_like() -> None:
    assert ATLAS.codes(pa.array(["dk", "EL", "el"])).tolist() == [DACH, ELSEWHERE, UNKNOWN]


def test_chunks_may_have_different_dictionaries() -> None:
    chunks = [pa.array(part).dictionary_encode() for part in (["US", "NO"], ["NO", None, "AT"])]
    assert ATLAS.codes(pa.chunked_array(chunks)).tolist() == [ELSEWHERE, NO, NO, UNKNOWN, DACH]


def test_a_slice_of_a_column_gives_the_codes_of_its_own_rows() -> None:
    for kind in LAYOUTS:
        rows = column(["US", None, "NO", "DE"], kind).slice(1, 2)
        assert ATLAS.codes(rows).tolist() == [UNKNOWN, NO], kind


def test_a_null_inside_a_dictionary_is_unknown_too() -> None:
    rows = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, None], pa.int32()), pa.array(["NO", None])
    )
    assert ATLAS.codes(rows).tolist() == [NO, UNKNOWN, UNKNOWN]


def test_a_column_of_nulls_alone_is_unknown_and_an_empty_one_is_empty() -> None:
    assert ATLAS.codes(pa.nulls(3)).tolist() == [UNKNOWN] * 3
    assert ATLAS.codes(pa.chunked_array([], pa.string())).tolist() == []


@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.binary(), pa.list_(pa.string()), pa.dictionary(pa.int8(), pa.int64())]
)
def test_a_column_that_is_not_text_spoils_the_object(kind: pa.DataType) -> None:
    with pytest.raises(BadObject, match="not text"):
        ATLAS.codes(pa.array([], kind))


def test_a_country_in_two_regions_is_a_bug_that_nobody_can_overlook() -> None:
    with pytest.raises(AssertionError):
        Atlas((region("A1", "DE"), region("B1", "DE")), {})
