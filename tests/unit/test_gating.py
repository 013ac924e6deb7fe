"""The gate: deny unless every rule is content."""

from __future__ import annotations

from dataclasses import replace

import pytest

from repatria.gating import HouseGate, house_gate
from repatria.ports.rules import Passage
from repatria.site import Role, SitePhase
from repatria.stored import Observed
from tests.people import DUBLIN, HAMAR, IE, PROFILES, SINGAPORE, US

SEEN = Observed(endpoint="s3.dublin-1.example", location="eu-west-1")
GOOD = Passage(dataset=PROFILES, region=IE, rows=3, origin=US, destination=DUBLIN, observed=SEEN)
LAW = frozenset({"IE", "NO"})


def test_a_parcel_may_go_home() -> None:
    assert house_gate(LAW, live=True).refusal(GOOD) is None


def test_a_gate_without_rules_permits_nothing() -> None:
    assert HouseGate(()).refusal(GOOD) == "no rule is configured"


@pytest.mark.parametrize(
    ("passage", "told"),
    [
        (replace(GOOD, destination=HAMAR), "neither home nor standby"),
        (replace(GOOD, destination=replace(DUBLIN, role=Role.BACKUP)), "not in the enclave"),
        (replace(GOOD, origin=DUBLIN), "not a legacy site"),
        (replace(GOOD, destination=replace(DUBLIN, phase=SitePhase.TESTING)), "not open"),
        (replace(GOOD, destination=replace(DUBLIN, phase=SitePhase.CLOSED)), "not open"),
        (replace(GOOD, destination=replace(DUBLIN, jurisdiction="US")), "stands in US"),
        (replace(GOOD, observed=replace(SEEN, location="us-east-1")), "its store says us-east-1"),
        (replace(GOOD, observed=replace(SEEN, location=None)), "does not say where it is"),
        (replace(GOOD, observed=replace(SEEN, key_region="us-east-1")), "a key that lives in"),
        (replace(GOOD, rows=-1), "not known"),
    ],
)
def test_each_rule_refuses_and_says_why(passage: Passage, told: str) -> None:
    assert told in str(house_gate(LAW, live=True).refusal(passage))


def test_a_standby_may_hold_a_second_copy() -> None:
    region = replace(IE, standby=HAMAR.name)
    seen = Observed(endpoint="s3.hamar.example", location="no-hamar-1")
    passage = replace(GOOD, region=region, destination=HAMAR, observed=seen)
    assert house_gate(LAW, live=True).refusal(passage) is None


@pytest.mark.parametrize("phase", [SitePhase.PLANNED, SitePhase.TESTING])
def test_a_rehearsal_may_look_at_a_site_that_is_not_open_yet(phase: SitePhase) -> None:
    passage = replace(GOOD, destination=replace(DUBLIN, phase=phase))
    assert house_gate(LAW, live=False).refusal(passage) is None


def test_a_rehearsal_refuses_a_site_outside_the_law_all_the_same() -> None:
    passage = replace(GOOD, destination=replace(SINGAPORE, role=Role.ENCLAVE))
    assert house_gate(LAW, live=False).refusal(
        replace(passage, region=replace(IE, home=SINGAPORE.name))
    )
