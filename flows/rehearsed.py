"""Gathers what a rehearsal found out, for its report: from its own ledger and the doctor.

The forecast. A rehearsal reads, sorts, encodes and digests as a live run does, but what it "puts"
never crosses the network. So its own time, scaled up to the whole plan, is the least that a live
run takes; the most assumes that putting and reading back go at the speed of reading, one after
the other. A sample of n slices widens both ends by 1/√n. The truth is expected in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.preparing import examine
from flows.report.facts import (
    FindingFacts,
    ForecastFacts,
    PassageFacts,
    PlanFacts,
    RehearsalFacts,
)
from flows.report.outcome import accounted, audited, counts, failed, gathered
from flows.report.planned import planned_rows, slices_of, warnings_of
from repatria.ports.ledger import Verdict

if TYPE_CHECKING:
    from flows.jobs import Order
    from flows.moving import MoveJob
    from flows.wiring import House
    from repatria.campaign import Ending
    from repatria.plan import Plan
    from repatria.ports.ledger import Ledger
    from repatria.stripe import Tally


def rehearsal_facts(
    house: House, job: MoveJob, order: Order, ending: Ending, spent: tuple[Tally, float]
) -> RehearsalFacts:
    """Return the facts of a rehearsal that came to its end; ``spent`` is its tally and seconds."""
    tally, seconds = spent
    ledger = job.campaign.ledger
    moving = _moving(house, ledger)
    return RehearsalFacts(
        run=job.run_id,
        at=house.clock.now().isoformat(timespec="seconds"),
        state=ending.state.value,
        exit_code=ending.exit_code,
        config_digest=house.config.digest,
        plan=_plan(job.plan),
        sample=order.sample,
        workers=house.workers,
        seconds=seconds,
        tally=counts(tally),
        accounts=accounted(ledger),
        moving=moving,
        quarantine=gathered(ledger.waiting(verdict=Verdict.OPEN)),
        failures=failed(ending.failures),
        forecast=forecast(job.plan, tally, seconds, moving),
        warnings=warnings_of(job.plan),
        findings=[
            FindingFacts(about=f.about, grade=f.grade.value, says=f.says, means=f.means)
            for f in examine(house, probing=False)
        ],
        audit=audited(ending),
    )


def forecast(
    plan: Plan, tally: Tally, seconds: float, moving: Sequence[PassageFacts]
) -> ForecastFacts | None:
    """Say what a live run of the whole plan would take, or None if nothing was read."""
    seen = tally.done + tally.failed
    total = sum(slices_of(plan).values())
    if not seen or not tally.read or seconds <= 0:
        return None
    scale = max(1.0, total / seen)
    octets = sum(passage["bytes"] for passage in moving)
    stored = max(1.0, plan.bytes / scale)
    unsure = 1 / math.sqrt(seen) if scale > 1 else 0.0
    low = seconds * scale
    high = low * (1 + 2 * octets / stored)
    costs = [row.cost for row in planned_rows(plan) if row.dataset in plan.datasets]
    known = [cost for cost in costs if cost is not None]
    return ForecastFacts(
        rows=round(sum(passage["rows"] for passage in moving) * scale),
        bytes=round(octets * scale),
        seconds=(low + high) / 2,
        seconds_low=low * (1 - unsure),
        seconds_high=high * (1 + unsure),
        cost=round(sum(known), 2) if known and len(known) == len(costs) else None,
        currency=next((row.currency for row in planned_rows(plan) if row.currency), None),
    )


def _moving(house: House, ledger: Ledger) -> list[PassageFacts]:
    regions = {region.name: region for region in house.atlas.regions}
    return [
        PassageFacts(
            dataset=found.dataset,
            region=found.region,
            home=regions[found.region].home,
            standby=regions[found.region].standby,
            rows=found.rows,
            bytes=found.bytes,
            batches=found.batches,
        )
        for found in sorted(ledger.moved(), key=lambda it: (it.dataset, -it.rows, it.region))
    ]


def _plan(plan: Plan) -> PlanFacts:
    return PlanFacts(
        digest=plan.digest,
        made_at=plan.made_at.isoformat(timespec="seconds"),
        expires_at=plan.expires_at.isoformat(timespec="seconds"),
        datasets=list(plan.datasets),
        regions=list(plan.regions),
        slices=plan.slice_count,
        stripes=plan.stripe_count,
        bytes=plan.bytes,
    )
