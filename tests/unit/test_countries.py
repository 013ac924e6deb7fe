"""Countries are those of ISO 3166-1, no more and no fewer."""

from __future__ import annotations

import pytest

from repatria.countries import COUNTRIES, EEA, EU27, PERMITTED, READY_MADE


def test_there_are_as_many_countries_as_the_standard_assigns() -> None:
    assert len(COUNTRIES) == 249
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRIES)


def test_the_union_the_area_and_the_permitted_have_their_sizes() -> None:
    assert len(EU27) == 27
    assert len(EEA) == 30
    assert EU27 | {"IS", "LI", "NO"} == EEA
    assert EEA | {"GB", "CH"} == PERMITTED


def test_every_permitted_jurisdiction_is_a_country() -> None:
    assert PERMITTED <= COUNTRIES


@pytest.mark.parametrize("code", ["XK", "UK", "EU", "EL", "ie", " IE", "", "IRL", "AN"])
def test_what_the_standard_does_not_assign_is_no_country(code: str) -> None:
    assert code not in COUNTRIES


def test_ready_made_sets_do_not_overlap_and_cover_all_that_is_permitted() -> None:
    together = [code for countries in READY_MADE.values() for code in countries]
    assert len(together) == len(set(together))
    assert set(together) == PERMITTED
