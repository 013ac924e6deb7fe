"""The verbs that work on data, as jobs: what the command line and Prefect both run.

A job is opened from an order (names and modes only), has stripes that anybody may run in any
order, and an end. Nothing here knows Prefect or a terminal.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from flows.wiring import House
from repatria.config.digest import changes
from repatria.errors import ConfigChanged, FenceLost, PlanRefused, RepatriaError, Stopped
from repatria.names import DatasetName, PlanDigest, RunId
from repatria.plan import Plan
from repatria.ports.ledger import Ledger, Plans
from repatria.ports.rules import Clock, Progresses
from repatria.site import Region
from repatria.stripe import Tally


class Mode(StrEnum):
    """Whether writes are real."""

    REHEARSAL = "rehearsal"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody asked for. Empty means: all of the plan.

    ``plan`` is the beginning of a plan's digest, or None for the newest; ``sample`` the share of
    slices that a rehearsal reads, or None for all of them.
    """

    mode: Mode = Mode.REHEARSAL
    plan: str | None = None
    datasets: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    sample: float | None = None


class Job(Protocol):
    """Work that is done stripe by stripe."""

    @property
    def stripes(self) -> Sequence[int]: ...

    def run_stripe(
        self, number: int, progress: Progresses, stopping: Callable[[], bool]
    ) -> Tally: ...


def run_all(job: Job, workers: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
    """Run every stripe of ``job`` in threads of this process, and add them up.

    The first error stops the others at their next batch boundary, and is raised; what they
    committed stands. A stripe that another worker holds is left to it: the rest goes on, and
    ``FenceLost`` is raised at the end. Raises ``Stopped`` when asked to stop.
    """
    failed = threading.Event()
    total, errors = Tally(), list[BaseException]()

    def halt() -> bool:
        return failed.is_set() or stopping()

    def one(number: int) -> Tally:
        if halt():
            raise Stopped("stopped before the stripe began, as asked", stripe=number)
        return job.run_stripe(number, progress, halt)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="stripe") as pool:
        for future in as_completed([pool.submit(one, number) for number in job.stripes]):
            error = future.exception()
            if error is None:
                total.add(future.result())
                continue
            errors.append(error)
            if not isinstance(error, FenceLost):
                failed.set()
    if errors:
        raise worst(errors)
    return total


def worst(errors: Sequence[BaseException]) -> BaseException:
    """Return the error that tells most: a defect, then a failure, a lost fence, a mere stop."""
    return min(
        errors,
        key=lambda error: (
            isinstance(error, RepatriaError),
            isinstance(error, Stopped),
            isinstance(error, FenceLost),
        ),
    )


def new_run(clock: Clock) -> RunId:
    """Name a run: its time, then something that nobody else draws."""
    return RunId(f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}")


def plan_for(house: House, plans: Ledger, order: Order) -> Plan:
    """Return the plan that ``order`` means, cut down to the datasets that it names.

    Raises ``PlanRefused`` if there is none, or if it does not cover what was asked, and
    ``ConfigChanged`` if the configuration is not the one that it was made with.
    """
    plan = plans.plan(PlanDigest(order.plan) if order.plan is not None else None)
    if plan is None:
        raise PlanRefused("there is no such plan" if order.plan else "there is no plan yet")
    unchanged(house, plans, plan)
    for kind, asked, held in (
        ("dataset", order.datasets, plan.datasets),
        ("region", order.regions, plan.regions),
    ):
        if missing := sorted(set(asked) - set(held)):
            raise PlanRefused(
                f"the plan has no {kind} {', '.join(missing)}",
                plan=plan.digest[:12],
                has=", ".join(held),
            )
    return plan


def unchanged(house: House, plans: Ledger, plan: Plan) -> None:
    """Refuse a configuration that is not the plan's, naming what changed."""
    if plan.config_digest == house.config.digest:
        return
    text = plans.config_text(plan.config_digest)
    told = changes(text, house.config.canonical) if text is not None else ("it is not known",)
    lines = "".join(f"\n  {line}" for line in told)
    raise ConfigChanged(
        f"the configuration changed since the plan was made:{lines}\n ", plan=plan.digest[:12]
    )


def wanted_datasets(plan: Plan, order: Order) -> tuple[DatasetName, ...]:
    """Return the datasets to work on."""
    return tuple(name for name in plan.datasets if not order.datasets or name in order.datasets)


def stripes_of(plans: Plans, plan: Plan) -> list[int]:
    """Return the stripes to work on, in ascending order."""
    return [it.number for it in plans.stripes(plan.digest) if it.dataset in plan.datasets]


def scope_of(house: House, plan: Plan, order: Order) -> tuple[Region, ...]:
    """Return the regions to work on, in the atlas's order."""
    wanted = order.regions or plan.regions
    return tuple(region for region in house.atlas.regions if region.name in wanted)
