"""Conducts a job from its beginning to its end, whoever works through its stripes.

The command in its own process and the flow under Prefect differ in one argument, the crew: what
runs the stripes. Everything else (opening, beginning, ending, the report) happens here, once.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from flows.checking import VerifyJob, verify_job
from flows.hands.elsewhere import Report
from flows.hands.errand import Errand, Verb
from flows.hands.hand import PROGRAM
from flows.hands.staff import Notice, planned, staffed
from flows.jobs import Job, Mode, Order, run_all
from flows.moving import MoveJob, move_job
from flows.overheard import Overheard
from flows.preparing import make_plan, unknown
from flows.rehearsed import rehearsal_facts
from flows.report import rehearsal
from flows.report.facts import RehearsalFacts
from flows.report.outcome import (
    Moved,
    Outcome,
    accounted,
    audited,
    counts,
    failed,
    gathered,
    narrowed,
    standing,
)
from flows.report.planned import slices_of
from flows.report.verification import VerifyOutcome, verified
from repatria import status
from repatria.config.loaded import RunnerKind
from repatria.errors import Refused, Stopped
from repatria.ports.ledger import Verdict
from repatria.stripe import Tally

if TYPE_CHECKING:
    from flows.wiring import House
    from repatria.campaign import Ending
    from repatria.names import DatasetName
    from repatria.plan import Plan
    from repatria.ports.ledger import Failures, Ledger
    from repatria.ports.rules import Progresses


class Watches(Protocol):
    """Somebody who watches a run: told of its plan, then of its progress from several threads."""

    def begins(self, plan: Plan, run: str, slices: Mapping[DatasetName, int]) -> None:
        """Hear how many slices each dataset has, as far as the plan knows."""
        ...

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None: ...

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None: ...

    def passed_over(self, slices: int) -> None:
        """Hear of slices that needed nothing, because an earlier run had finished them."""
        ...

    def noticed(self, what: str) -> None:
        """Hear a line about the run itself, such as a process that was replaced."""
        ...


@dataclass(frozen=True, slots=True)
class Enacted:
    """What a crew is given: a job under way, who watches it, and the flag that stops it."""

    run: str
    job: Job
    workers: int
    progress: Progresses
    stop: threading.Event
    house: House
    errand: Errand
    heard: Callable[[Report], None]


Crew = Callable[[Enacted], Tally]


class NoCrew(Refused):
    """Stripes are to be run on a Dask cluster, and only a flow of Prefect's reaches one."""

    hint = (
        "Set PREFECT_API_URL (see docs/many-machines.md), or say `runner: processes` in the "
        "configuration: any runner goes on with what another began."
    )


def threads(enacted: Enacted) -> Tally:
    """Run the stripes in threads of this process, with no server anywhere."""
    return run_all(enacted.job, enacted.workers, enacted.progress, enacted.stop.is_set)


@dataclass(frozen=True, slots=True)
class Conductor:
    """Conducts jobs of one house."""

    house: House
    watcher: Watches
    crew: Crew = threads
    stop: threading.Event = field(default_factory=threading.Event)
    program: Sequence[str] = PROGRAM  #: What a hand runs.

    def plan(self, datasets: Sequence[str], regions: Sequence[str]) -> Plan:
        """Make a plan of these datasets and regions, or of all."""
        if self.house.config.runner.kind is RunnerKind.THREADS:
            return make_plan(self.house, datasets, regions)
        unknown(self.house, datasets, regions)
        order = Order(datasets=tuple(datasets), regions=tuple(regions))
        errand = self._errand(Verb.PLAN, order)
        return planned(self.house, errand, self._notice, self.stop.is_set)

    def move(self, order: Order) -> Outcome:
        """Rehearse or migrate, and tell what it came to."""
        self._reach(Verb.MOVE, order)
        began = self.house.clock.monotonic()
        with move_job(self.house, order) as job:
            errand = self._errand(Verb.MOVE, order, job.run_id)
            told = Overheard(self.watcher)
            job.begin()
            try:
                with self._staffed(job, errand, job.campaign.ledger) as staff:
                    tally = self._stripes(job, staff, errand, told)
                ending = job.finish(tally)
            except BaseException as error:
                job.ended_early(told.tally, _early(error))
                raise
            return self._outcome(job, order, ending, tally, began)

    def verify(self, order: Order) -> VerifyOutcome:
        """Read both sides anew, and tell how they compare."""
        self._reach(Verb.VERIFY, order)
        began = self.house.clock.monotonic()
        with verify_job(self.house, order) as job:
            errand = self._errand(Verb.VERIFY, order, job.run_id)
            job.begin()
            try:
                with self._staffed(job, errand, None) as staff:
                    self._stripes(job, staff, errand, Overheard(self.watcher))
                found = job.finish()
            except BaseException as error:
                job.ended_early(_early(error))
                raise
            return verified(found, job.plan, self.house.clock.monotonic() - began)

    def _errand(self, verb: Verb, order: Order, run: str = "") -> Errand:
        return Errand(verb=verb, folder=self.house.folder, order=order, run=run)

    @property
    def _notice(self) -> Notice:
        return Notice(self.watcher.noticed, self.program)

    def _staffed(
        self, job: Job, errand: Errand, failures: Failures | None
    ) -> AbstractContextManager[Job]:
        """Return the job as the configured runner has its stripes run."""
        if self.house.config.runner.kind is RunnerKind.THREADS or on_cluster(self.house, errand):
            return nullcontext(job)
        return staffed(self.house, job, errand, failures, self._notice)

    def _stripes(
        self, job: MoveJob | VerifyJob, staff: Job, errand: Errand, told: Overheard
    ) -> Tally:
        self.watcher.begins(job.plan, job.run_id, slices_of(job.plan, errand.order.sample))
        told.job, told.house = staff, self.house
        return self.crew(
            Enacted(
                run=job.run_id,
                job=told,
                workers=self.house.workers,
                progress=self.watcher,
                stop=self.stop,
                house=self.house,
                errand=errand,
                heard=told.heard,
            )
        )

    def _reach(self, verb: Verb, order: Order) -> None:
        """Raise ``NoCrew``, before anything begins, for a cluster that this crew cannot reach."""
        if self.crew is threads and on_cluster(self.house, self._errand(verb, order)):
            raise NoCrew("`runner: dask` needs a Prefect API")

    def _outcome(
        self, job: MoveJob, order: Order, ending: Ending, tally: Tally, began: float
    ) -> Outcome:
        outcome = Outcome(
            verb="migrate" if order.mode is Mode.LIVE else "rehearse",
            mode=order.mode.value,
            run=job.run_id,
            plan=job.plan.digest,
            state=ending.state.value,
            exit_code=ending.exit_code,
            seconds=self.house.clock.monotonic() - began,
            tally=counts(tally),
            accounts={},
            moved=(),
            quarantine=(),
            failures=failed(ending.failures),
            audit=audited(ending),
        )
        ledger = self.house.ledger(read_only=True)
        # The job's own plan has lost the datasets that were not asked for.
        if (whole := ledger.plan(job.plan.digest)) is not None:
            asked = narrowed(whole, order.datasets, order.regions)
            outcome = replace(outcome, narrowed=asked)
        if order.mode is Mode.LIVE:
            return _live(outcome, ledger, self.house)
        spent = (tally, outcome.seconds)
        facts = rehearsal_facts(self.house, job, order, ending, spent)
        return _rehearsed(outcome, self.house, facts)


def _early(error: BaseException) -> BaseException:
    """Return what ended a run, as the ledger should remember it: a signal is a person's wish."""
    return error if isinstance(error, Exception) else Stopped("a signal ended the run")


def _live(outcome: Outcome, ledger: Ledger, house: House) -> Outcome:
    quarantine = gathered(ledger.waiting(verdict=Verdict.OPEN))
    cells = status.gather(ledger, house.clock.now()).cells
    matched = {(str(cell.dataset), str(cell.region)): cell.verified for cell in cells}
    return replace(
        outcome,
        accounts=accounted(ledger),
        quarantine=quarantine,
        moved=[
            replace(moved, verified=matched.get((moved.dataset, moved.region)))
            for moved in standing(ledger, quarantine)
        ],
    )


def _rehearsed(outcome: Outcome, house: House, facts: RehearsalFacts) -> Outcome:
    page, data = rehearsal.write(house.state, facts)
    beside: Counter[tuple[str, str]] = Counter()
    for entry in facts["quarantine"]:
        beside[entry["dataset"], entry["region"]] += entry["rows"]
    return replace(
        outcome,
        accounts=facts["accounts"],
        quarantine=facts["quarantine"],
        failures=facts["failures"],
        moved=[
            Moved(
                dataset=passage["dataset"],
                region=passage["region"],
                rows=passage["rows"],
                bytes=passage["bytes"],
                waiting=beside[passage["dataset"], passage["region"]],
            )
            for passage in facts["moving"]
        ],
        reports=(str(page), str(data)),
        facts=facts,
    )


def on_cluster(house: House, errand: Errand) -> bool:
    """Say whether an errand is run on the Dask cluster.

    What a rehearsal remembers is a file that goes with it, and a plan is made in one place: both
    stay with the door, whose hands do them.
    """
    real = errand.verb is Verb.VERIFY or errand.order.mode is Mode.LIVE
    return real and house.config.runner.kind is RunnerKind.DASK
