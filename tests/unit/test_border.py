"""The border resolves the rows of a parcel itself, whatever the label says (law 2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.memory.bucket import MemoryBucket
from connectors.object_target import ObjectTarget
from repatria.border import Border, Place
from repatria.dataset import UnknownCountry
from repatria.errors import BadObject, ResidencyRefused
from repatria.gating import HouseGate, house_gate
from repatria.layout import Layout
from repatria.residency import Resolver
from repatria.stored import Observed
from tests.people import ATLAS, DE, DUBLIN, IE, PROFILES, US, profiles

PLACE = Place(
    site=DUBLIN,
    target=ObjectTarget(MemoryBucket(DUBLIN.name), Layout(), {}, "ledger"),
    observed=Observed(endpoint="e", location=DUBLIN.location),
)
BORDER = Border(
    gate=house_gate(frozenset({"IE"}), live=True),
    origin=US,
    places={DUBLIN.name: PLACE},
    resolver=Resolver(dataset=PROFILES, atlas=ATLAS),
)


def test_the_records_of_a_region_pass_on_their_way_home() -> None:
    BORDER.pass_through(PROFILES, IE, profiles(["IE", "IE"]), PLACE)


@pytest.mark.parametrize("stranger", ["DE", "NO", "US", None, "ZZ", "ie"])
def test_one_record_of_anywhere_else_stops_the_whole_parcel(stranger: str | None) -> None:
    with pytest.raises(ResidencyRefused):
        BORDER.pass_through(PROFILES, IE, profiles(["IE", stranger, "IE"]), PLACE)


def test_a_dataset_whose_unknown_stay_does_not_take_them_along() -> None:
    staying = replace(PROFILES, unknown=UnknownCountry.STAY)
    border = replace(BORDER, resolver=Resolver(dataset=staying, atlas=ATLAS))
    with pytest.raises(ResidencyRefused):
        border.pass_through(staying, IE, profiles(["IE", None]), PLACE)


def test_rows_of_a_label_that_is_not_theirs_are_refused() -> None:
    with pytest.raises(ResidencyRefused):
        BORDER.pass_through(PROFILES, DE, profiles(["IE"]), PLACE)


def test_rows_that_cannot_be_resolved_do_not_pass() -> None:
    with pytest.raises(BadObject):
        BORDER.pass_through(PROFILES, IE, profiles(["IE"]).drop_columns(["country"]), PLACE)


def test_an_empty_parcel_still_asks_the_gate() -> None:
    BORDER.pass_through(PROFILES, IE, profiles([]), PLACE)
    with pytest.raises(ResidencyRefused):
        replace(BORDER, gate=HouseGate(())).pass_through(PROFILES, IE, profiles([]), PLACE)


def test_what_the_store_says_of_itself_decides_and_not_its_configuration() -> None:
    lying = replace(PLACE, observed=Observed(endpoint="e", location="us-east-1"))
    with pytest.raises(ResidencyRefused):
        BORDER.pass_through(PROFILES, IE, profiles(["IE"]), lying)
