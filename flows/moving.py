"""The job that moves: live, or rehearsed on stores that cannot write and a ledger of its own."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.disk import translated
from connectors.sql.ledger import SqlLedger
from flows.admission import admit
from flows.jobs import Mode, Order, new_run, plan_for, scope_of, stripes_of, wanted_datasets
from flows.wiring import House
from flows.workbench import contest, directory
from repatria.audit import Configured
from repatria.batch import Reason
from repatria.border import Border, Place
from repatria.campaign import Campaign, Ending, refuse_expired
from repatria.dataset import Dataset
from repatria.errors import FenceLost, Stopped
from repatria.fate import Released
from repatria.gating import house_gate
from repatria.names import DatasetName, RegionName, RunId, SiteName
from repatria.plan import Plan
from repatria.ports.ledger import Ledger, Plans, RunState, Verdict
from repatria.ports.rules import Progresses
from repatria.receipt import BatchName
from repatria.sampling import SampledPlans
from repatria.site import Region
from repatria.sorter import Sorter
from repatria.stripe import StripeWork, Tally, Watch
from repatria.transfer import Transfer, destinations


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveJob:
    """A campaign, and what its stripes need to be run by anybody."""

    campaign: Campaign
    stripes: Sequence[int]

    @property
    def run_id(self) -> RunId:
        """The name of the run."""
        return self.campaign.run

    @property
    def plan(self) -> Plan:
        """The plan, with the datasets that are worked on."""
        return self.campaign.plan

    def begin(self) -> None:
        """Remember that the run began. Raises ``PlanRefused`` for an expired plan."""
        self.campaign.begin()

    def run_stripe(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Do what is left of one stripe. Raises ``FenceLost`` where another worker is at it."""
        ran = self.campaign.run_next([number], Watch(progress, stopping))
        if ran is None:
            raise FenceLost("another worker is at work on this stripe", stripe=number)
        return ran[1]

    def take_over(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Do the same once whoever is at it ended, or was silent for a lease length."""
        return self.campaign.run_stripe(number, Watch(progress, stopping))

    def finish(self, tally: Tally) -> Ending:
        """Publish manifests, check the end, and say how it ended."""
        return self.campaign.finish(tally)

    def ended_early(self, tally: Tally, error: BaseException) -> None:
        """Remember that the run stopped or failed, by the name of the error alone."""
        state = RunState.STOPPED if isinstance(error, Stopped) else RunState.FAILED
        self.campaign.stopped(tally, state, type(error).__name__)


@contextmanager
def move_job(house: House, order: Order, run_id: str | None = None) -> Iterator[MoveJob]:
    """Open the job that ``order`` means; ``run_id`` joins a run that began elsewhere.

    Who joins has no stripes of its own: it is told which to run.
    """
    run = RunId(run_id) if run_id is not None else new_run(house.clock)
    live = order.mode is Mode.LIVE
    plans = house.ledger(read_only=not live)
    plan = plan_for(house, plans, order)
    refuse_expired(plan, house.clock.now())
    plan = replace(plan, datasets=wanted_datasets(plan, order))
    stripes = stripes_of(plans, plan) if run_id is None else ()
    if live:
        yield _job(house, order, (run, stripes), plan, (plans, plans))
        return
    with _aside(house.state / "rehearsals" / run, owned=run_id is None) as folder:
        yield _job(house, order, (run, stripes), plan, (plans, house.throwaway_ledger(folder)))


@contextmanager
def _aside(folder: Path, *, owned: bool) -> Iterator[Path]:
    with translated("rehearsal"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if owned:
            shutil.rmtree(folder, ignore_errors=True)


def _job(
    house: House,
    order: Order,
    run: tuple[RunId, Sequence[int]],
    plan: Plan,
    ledgers: tuple[SqlLedger, SqlLedger],
) -> MoveJob:
    (run_id, stripes), (real, written) = run, ledgers
    live = order.mode is Mode.LIVE
    scope = scope_of(house, plan, order)
    plans: Plans = real if order.sample is None else SampledPlans(real, order.sample)
    yard = Yard(
        house=house,
        plan=plan,
        scope=scope,
        ledger=written,
        decided=real,
        ledger_id=real.id,
        live=live,
    )
    sites = {site for region in scope for site in destinations(region)}
    admit(house, plan.datasets, scope, yard.places(), live=live)
    campaign = Campaign(
        run=run_id,
        mode=order.mode.value,
        plan=plan,
        plans=plans,
        ledger=written,
        scope=scope,
        configured=Configured.of(house.config.datasets, house.atlas.regions),
        sources=house.sources,
        manifests={site: house.manifests(site, real.id, live=live) for site in sites},
        tenancy=house.tenancy(written),
        clock=house.clock,
        sampled=order.sample is not None,
        seal=house.key_seal.seal,
        work=yard.work,
    )
    return MoveJob(campaign=campaign, stripes=stripes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """Sets up the work on one dataset and site, for moving and for verifying alike."""

    house: House
    plan: Plan
    scope: Sequence[Region]
    ledger: Ledger
    decided: Ledger  #: Where people's decisions stand: the real ledger, always.
    ledger_id: str
    live: bool
    _places: dict[SiteName, Place] = field(default_factory=dict)

    def work(self, name: DatasetName, site: SiteName) -> StripeWork:
        """Return what moves the stripes of a dataset from ``site``."""
        house, dataset = self.house, self.house.config.datasets[name]
        sorter = self.sorter(dataset)
        border = Border(
            gate=house_gate(house.config.enclave_jurisdictions, live=self.live),
            origin=house.config.sites[site],
            places=self.places(),
            resolver=sorter.resolver,
        )
        transfer = Transfer(
            dataset=dataset,
            scope=self.scope,
            sorter=sorter,
            border=border,
            digester=house.digester,
            receipts=self.ledger,
        )
        return StripeWork(
            transfer=transfer,
            source=house.source(site),
            failures=self.ledger,
            decode_attempts=house.config.limits.decode_attempts,
        )

    def places(self) -> dict[SiteName, Place]:
        """Return the destinations, each asked once where it is."""
        for region in self.scope:
            for site in destinations(region):
                if site not in self._places:
                    self._places[site] = self.house.place(site, self.ledger_id, live=self.live)
        return self._places

    def sorter(self, dataset: Dataset) -> Sorter:
        """Return what sorts the batches of a dataset under this plan."""
        users = directory(self.house, dataset, self.plan.directories)
        return Sorter(
            resolver=self.house.resolver(dataset, users),
            tombstones=self.house.tombstones,
            contest=contest(self.house, dataset.name, self.plan.reconciled.get(dataset.name)),
            always=Released(reasons=_ruled(self.decided, dataset.name)),
            released=_released(self.decided, dataset.name),
        )


def _ruled(ledger: Ledger, name: DatasetName) -> frozenset[Reason]:
    rules = ledger.rules().items()
    return frozenset(
        reason
        for (dataset, reason), verdict in rules
        if dataset == name and verdict is Verdict.RELEASE
    )


def _released(ledger: Ledger, name: DatasetName) -> dict[BatchName, Released]:
    found: defaultdict[BatchName, dict[tuple[Reason, RegionName | None], frozenset[int]]]
    found = defaultdict(dict)
    for entry in ledger.waiting(name, Verdict.RELEASE):
        found[entry.batch][entry.reason, entry.region] = frozenset(entry.positions)
    return {batch: Released(entries=entries) for batch, entries in found.items()}
