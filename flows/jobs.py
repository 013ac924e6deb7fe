"""The verbs that work on data, as jobs: what the command line and Prefect both run.

A job is opened from an order (names and modes only), has stripes that anybody may run in any
order, and an end. Nothing here knows Prefect or a terminal.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
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

    def run_stripe(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Do what is left of one stripe. Raises ``FenceLost`` where another worker is at it."""
        ...

    def take_over(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Do the same once whoever is at it ended, or was silent for a lease length.

        Raises ``FenceLost`` where it is seen to be alive.
        """
        ...


def run_all(job: Job, workers: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
    """Run every stripe of ``job`` in threads of this process, and add them up.

    The first error stops the others at their next batch boundary, and is raised; what they
    committed stands. A stripe that another run is at is left to it and met again when the rest
    is done, so that runs of one plan share its work. Raises ``Stopped`` when asked to stop.
    """
    turns = _Turns(job, progress, stopping)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="stripe") as pool:
        elsewhere = turns.taken(pool, turns.first, job.stripes)
        turns.taken(pool, turns.again, elsewhere)
    if turns.errors:
        raise worst(turns.errors)
    return turns.tally


def run_in_turn(
    job: Job, stripes: Sequence[int], progress: Progresses, stopping: Callable[[], bool]
) -> Tally:
    """Run some stripes of ``job`` one after another; those that others are at come last."""
    total, elsewhere = Tally(), list[int]()
    for number in stripes:
        try:
            total.add(job.run_stripe(number, progress, stopping))
        except FenceLost:
            elsewhere.append(number)
    for number in elsewhere:
        total.add(waited_for(job, number, progress, stopping))
    return total


def waited_for(job: Job, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
    """Run a stripe that another worker is at, once it ended or fell silent.

    Each attempt watches it for a part of a lease length at least. Raises ``Stopped``.
    """
    while not stopping():
        with suppress(FenceLost):
            return job.take_over(number, progress, stopping)
    raise Stopped("stopped while another worker was at the stripe, as asked", stripe=number)


class _Turns:
    """The stripes of a run as the threads of its crew come by."""

    def __init__(self, job: Job, progress: Progresses, stopping: Callable[[], bool]) -> None:
        self.job, self.progress, self.stopping = job, progress, stopping
        self.tally = Tally()
        self.errors: list[BaseException] = []

    def taken(
        self, pool: ThreadPoolExecutor, turn: Callable[[int], Tally], stripes: Sequence[int]
    ) -> list[int]:
        """Take a turn for each stripe; return those that another worker is at."""
        begun = {pool.submit(turn, number): number for number in stripes}
        elsewhere = []
        for future in as_completed(begun):
            error = future.exception()
            if error is None:
                self.tally.add(future.result())
            elif isinstance(error, FenceLost):
                elsewhere.append(begun[future])
            else:
                self.errors.append(error)
        return elsewhere

    def first(self, number: int) -> Tally:
        """Run a stripe, unless another worker is at it."""
        if self._halt():
            raise Stopped("stopped before the stripe began, as asked", stripe=number)
        return self.job.run_stripe(number, self.progress, self._halt)

    def again(self, number: int) -> Tally:
        """Run a stripe that another worker was at."""
        return waited_for(self.job, number, self.progress, self._halt)

    def _halt(self) -> bool:
        return bool(self.errors) or self.stopping()


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
