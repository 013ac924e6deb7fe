"""A part of a plan, evenly drawn: what a sampled rehearsal reads.

Slices are drawn by their ids, which are keyed digests: the same share of the same plan is always
the same slices, and no object can know how to be left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from repatria.names import DatasetName, PlanDigest
from repatria.plan import Plan, Stripe
from repatria.ports.ledger import Plans

_WHOLE: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class SampledPlans:
    """Plans whose stripes hold only the share ``0 < share <= 1`` of their slices."""

    inner: Plans
    share: float

    def save_config(self, digest: str, text: str) -> None:
        self.inner.save_config(digest, text)

    def config_text(self, digest: str) -> str | None:
        return self.inner.config_text(digest)

    def save_plan(self, plan: Plan, stripes: Iterable[Stripe]) -> None:
        self.inner.save_plan(plan, stripes)

    def plan(self, digest: PlanDigest | None = None) -> Plan | None:
        return self.inner.plan(digest)

    def plans(self) -> Sequence[Plan]:
        return self.inner.plans()

    def stripe(self, plan: PlanDigest, number: int) -> Stripe:
        return self._drawn(self.inner.stripe(plan, number))

    def stripes(self, plan: PlanDigest) -> Iterator[Stripe]:
        return map(self._drawn, self.inner.stripes(plan))

    def fix_cutting(self, dataset: DatasetName, text: str) -> str:
        return self.inner.fix_cutting(dataset, text)

    def _drawn(self, stripe: Stripe) -> Stripe:
        most = self.share * _WHOLE
        kept = tuple(piece for piece in stripe.slices if int(piece.id[:8], 16) < most)
        return replace(stripe, slices=kept or stripe.slices[:1])
