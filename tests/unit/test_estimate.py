"""Estimates: measured on a sample, scaled by what was listed, and with their doubts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from connectors.memory.rules import MemoryClock
from repatria.batch import Batch
from repatria.errors import Archived, BadObject, RepatriaError, StaleSlice
from repatria.estimate import Estimator, not_read, warnings
from repatria.inventory import Listed
from repatria.names import SiteName, SliceId
from repatria.planner import Sample
from repatria.prices import Prices, Tariff
from repatria.residency import Resolver
from repatria.site import SitePhase
from repatria.slice import Slice
from tests.people import ATLAS, DE, DUBLIN, HAMAR, IE, PROFILES, US, batch_of, piece, profiles

SITES = {site.name: site for site in (US, DUBLIN, HAMAR)}
CLOCK = MemoryClock()


def numbered(number: int) -> Slice:
    held = replace(piece().object, size=100)
    return replace(piece(), id=SliceId(f"{number:032x}"), object=held)


class Told:
    """A source whose slices hold these countries, or fail like this; each takes two seconds."""

    def __init__(self, *slices: list[str | None] | RepatriaError) -> None:
        self.slices = {numbered(n).id: held for n, held in enumerate(slices)}

    def batches(self, _dataset: object, asked: Slice, _after: object) -> Iterator[Batch]:
        CLOCK.advance(2.0)
        held = self.slices[asked.id]
        if isinstance(held, RepatriaError):
            raise held
        yield replace(batch_of(profiles(held)), piece=asked)


def estimated(
    *slices: list[str | None] | RepatriaError, prices: Prices | None = None, **listed: int
) -> Mapping[str, Any]:
    """Estimate a dataset ten times as large as its sample (unless listed otherwise)."""
    count = len(slices)
    facts = {"objects": count * 10, "bytes": count * 1000, "primary_bytes": count * 1000, **listed}
    estimator = Estimator(
        regions=[IE, DE],
        sites=SITES,
        prices=prices or Prices(),
        workers=2,
        clock=CLOCK,
    )
    sample = Sample(
        dataset=PROFILES,
        slices=[numbered(n) for n in range(count)],
        slice_count=count * 10,
        listed=Listed(**facts),
    )
    sources: Any = {US.name: Told(*slices)}
    return estimator.dataset(sample, sources, Resolver(dataset=PROFILES, atlas=ATLAS))


def test_a_sample_is_scaled_to_the_whole() -> None:
    found = estimated(["IE", "US"], ["DE", "IE"])
    assert (found["rows"], found["moving_rows"]) == (40, 30)
    assert found["regions"] == {"DE": 10, "IE": 20}
    assert found["moving_bytes"] == 1500
    assert found["parcels"] == 30
    assert found["requests"]["put"] == 30
    assert found["read_seconds"] == 20.0, "two slices of two seconds, tenfold, for two workers"


def test_the_range_is_that_of_the_slices_seen() -> None:
    found = estimated(["IE", "US"], ["DE", "IE"])
    assert found["moving_rows_range"] == [20, 40]


def test_regions_that_were_not_asked_for_do_not_move() -> None:
    assert estimated(["NO", "IE"])["regions"] == {"IE": 10}


def test_a_slice_that_cannot_be_read_is_left_out_of_the_sample_and_told() -> None:
    broken = (BadObject("x"), StaleSlice("x"), Archived("x"))
    for error in broken:
        found = estimated(["IE", "US"], error)
        assert found["sampled_slices"] == 1
        assert found["rows"] == 40, "the others stand for it"


def test_a_sample_of_which_nothing_can_be_read_says_that_nothing_was_sampled() -> None:
    found = estimated(BadObject("x"), Archived("x"), archived=2, archived_bytes=200)
    assert (found["sampled_slices"], found["sampled_rows"], found["rows"]) == (0, 0, 0)
    assert (found["archived"], found["archived_bytes"]) == (2, 200)
    assert found["bytes"] == 2000, "what was listed is known"


def test_an_empty_dataset_needs_nothing() -> None:
    found = estimated()
    assert (found["rows"], found["moving_bytes"], found["parcels"]) == (0, 0, 0)
    assert found["moving_rows_range"] == [0, 0]


def test_slices_without_a_record_are_no_division_by_zero() -> None:
    found = estimated([], [])
    assert (found["rows"], found["moving_rows"]) == (0, 0)


def test_a_cost_is_known_only_where_both_ends_have_a_price() -> None:
    far = {US.name: Tariff(egress_per_gb=0.1, get_per_1000=1.0)}
    assert estimated(["IE"])["cost"] == {"known": 0}
    assert estimated(["IE"], prices=Prices(tariffs=far))["cost"] == {"known": 0}
    both = Prices(currency="USD", tariffs={**far, DUBLIN.name: Tariff(put_per_1000=100.0)})
    cost = estimated(["IE"], prices=both, bytes=50 * 10**9)["cost"]
    assert cost == {"known": 1, "currency": "USD", "egress": 5.0, "requests": 1.02}


def test_a_site_that_is_closed_or_too_small_is_warned_of() -> None:
    planned = replace(DUBLIN, phase=SitePhase.PLANNED, opens=date(2027, 1, 1))
    told = warnings([IE], {DUBLIN.name: planned}, {})
    assert len(told) == 1
    assert "2027-01-01" in told[0]
    small = replace(DUBLIN, capacity_bytes=10)
    assert len(warnings([IE], {DUBLIN.name: small}, {DUBLIN.name: 11})) == 1
    assert warnings([IE], {DUBLIN.name: small}, {DUBLIN.name: 10}) == []
    assert warnings([IE], SITES, {SiteName("dublin-1"): 1 << 60}) == []


def test_a_prefix_without_objects_and_a_sample_that_cannot_be_read_are_told() -> None:
    nothing = Sample(dataset=PROFILES, slices=[], slice_count=0, listed=Listed())
    assert "see whether it is right" in not_read(nothing, {})[0]
    some = Sample(dataset=PROFILES, slices=[piece()], slice_count=1, listed=Listed(objects=1))
    assert not_read(some, {"unreadable": []}) == []
    told = not_read(some, {"unreadable": ["a column that decides is missing"]})
    assert told == [
        "profiles: 1 of 1 sampled slices cannot be read: a column that decides is missing"
    ]
