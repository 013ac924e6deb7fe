"""A sample of a plan: always the same share, and never none of a stripe."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from repatria.names import PlanDigest, SliceId
from repatria.plan import Stripe
from repatria.sampling import SampledPlans
from tests.people import PROFILES, piece

DIGEST = PlanDigest("d" * 64)


class Told:
    """Plans that hold these stripes."""

    def __init__(self, sizes: list[int]) -> None:
        names = (hashlib.sha256(str(n).encode()).hexdigest()[:32] for n in range(100_000))
        self._stripes = [
            Stripe(
                number=number,
                dataset=PROFILES.name,
                slices=tuple(_named(SliceId(next(names))) for _ in range(size)),
            )
            for number, size in enumerate(sizes)
        ]

    def stripe(self, _plan: PlanDigest, number: int) -> Stripe:
        return self._stripes[number]

    def stripes(self, _plan: PlanDigest) -> Any:
        return iter(self._stripes)


def _named(name: SliceId) -> Any:
    first = piece()
    return type(first)(
        id=name,
        dataset=first.dataset,
        site=first.site,
        object=first.object,
        relative=first.relative,
        label=first.label,
    )


def sampled(sizes: list[int], share: float) -> SampledPlans:
    inner: Any = Told(sizes)
    return SampledPlans(inner, share)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_share_is_about_what_was_asked_for(share: float) -> None:
    kept = len(sampled([5000], share).stripe(DIGEST, 0).slices)
    assert 0.8 * share < kept / 5000 < 1.25 * share


def test_the_whole_is_the_whole() -> None:
    assert len(sampled([500], 1.0).stripe(DIGEST, 0).slices) == 500


def test_the_same_share_is_always_the_same_slices() -> None:
    assert sampled([300], 0.2).stripe(DIGEST, 0) == sampled([300], 0.2).stripe(DIGEST, 0)


def test_a_larger_share_holds_the_smaller() -> None:
    few = set(sampled([900], 0.1).stripe(DIGEST, 0).slices)
    assert few < set(sampled([900], 0.3).stripe(DIGEST, 0).slices)


def test_every_stripe_is_looked_into_and_each_way_of_asking_agrees() -> None:
    plans = sampled([1, 2, 3, 40], 0.001)
    stripes = list(plans.stripes(DIGEST))
    assert all(len(stripe.slices) == 1 for stripe in stripes)
    assert stripes == [plans.stripe(DIGEST, number) for number in range(4)]
