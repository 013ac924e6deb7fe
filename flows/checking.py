"""The job that verifies: both sides read anew, carried on from where the last attempt ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from connectors.sql.ledger import SqlLedger
from flows.jobs import Mode, Order, new_run, plan_for, scope_of, stripes_of, wanted_datasets
from flows.moving import Yard
from flows.wiring import House
from repatria.audit import Audit, Configured, audit_left, audit_listing
from repatria.dataset import KeyClass
from repatria.errors import Stopped
from repatria.manifest import agrees
from repatria.names import DatasetName, RegionName, RunId
from repatria.plan import Plan
from repatria.ports.ledger import Comparison, Run, RunState, Verdict
from repatria.ports.rules import Progresses
from repatria.site import Region
from repatria.status import added
from repatria.stray import strays
from repatria.stripe import Tally, Watch
from repatria.transfer import destined
from repatria.verify import ANY, Verifier

DIFFERS = 11
WAITS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a verification found.

    ``strays`` counts objects at home that no receipt names, ``unlisted`` manifests that do not list
    what the receipts say, ``unplanned`` records at home that nothing planned answers for, and
    ``drifted`` source objects that are new, changed or gone since the plan.
    """

    run: RunId
    sums: Mapping[tuple[DatasetName, RegionName], Comparison]
    whys: Sequence[str]
    strays: int
    unlisted: int
    unplanned: int
    drifted: int
    waiting: int
    failures: int

    @property
    def differing(self) -> int:
        """Records missing, extra or altered; stray objects; manifests that list something else."""
        found = self.sums.values()
        return (
            self.strays
            + self.unlisted
            + sum(one.missing + one.extra + one.altered for one in found)
        )

    @property
    def unverified(self) -> int:
        """What could not be compared: slices, and what the plan does not have or not so."""
        slices = sum(found.unverified for found in self.sums.values())
        return self.unplanned + self.drifted + slices

    @property
    def exit_code(self) -> int:
        """0 where all matched; 11 where something differs; 14 where something is open."""
        if self.differing:
            return DIFFERS
        nothing = not any(found.matched for found in self.sums.values())
        open_ = self.unverified or self.waiting or self.failures
        return WAITS if open_ or nothing else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyJob:
    """A verification of a whole plan."""

    house: House
    run_id: RunId
    plan: Plan
    stripes: Sequence[int]
    scope: Sequence[Region]
    ledger: SqlLedger
    yard: Yard
    begun: bool

    def begin(self) -> None:
        """Remember that the verification began, unless it carries on."""
        if not self.begun:
            self.ledger.begin(
                Run(
                    id=self.run_id,
                    verb="verify",
                    mode="read",
                    plan=self.plan.digest,
                    config_digest=self.plan.config_digest,
                    began_at=self.house.clock.now(),
                )
            )

    def run_stripe(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Compare what is left of one stripe."""
        stripe = self.ledger.stripe(self.plan.digest, number)
        verifier = Verifier(
            dataset=self.house.config.datasets[stripe.dataset],
            scope=self.scope,
            source=self.house.source(stripe.slices[0].site),
            places=self.yard.places(),
            sorter=self.yard.sorter(self.house.config.datasets[stripe.dataset]),
            digester=self.house.digester,
            receipts=self.ledger,
            comparisons=self.ledger,
        )
        verifier.run(self.run_id, stripe, Watch(progress, stopping))
        return Tally(done=len(stripe.slices))

    def take_over(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Compare it all the same: who only reads needs no lease."""
        return self.run_stripe(number, progress, stopping)

    def finish(self) -> Verification:
        """Look for strays, add everything up, and remember how it ended."""
        sums: dict[tuple[DatasetName, RegionName], Comparison] = {}
        whys: dict[str, None] = {}
        for found in self.ledger.comparisons(self.run_id):
            key = (found.dataset, found.region)
            sums[key] = added(sums[key], found) if key in sums else found
            if found.why:
                where = "region not known" if found.region == ANY else found.region
                whys[f"{found.dataset}, {where}: {found.why}"] = None
        audit = self._audit()
        verification = Verification(
            run=self.run_id,
            sums=sums,
            whys=tuple(whys),
            strays=self._strays(),
            unlisted=self._unlisted(),
            unplanned=audit.left,
            drifted=audit.new + audit.changed + audit.gone,
            waiting=sum(entry.rows for entry in self.ledger.waiting(verdict=Verdict.OPEN)),
            failures=len([f for f in self.ledger.failures() if f.dataset in self.plan.datasets]),
        )
        state = RunState.COMPLETE if verification.exit_code == 0 else RunState.INCOMPLETE
        self.ledger.end(self.run_id, state, self.house.clock.now(), _told(verification))
        return verification

    def ended_early(self, error: BaseException) -> None:
        """Leave a verification that was asked to stop to be carried on; end a failed one."""
        if not isinstance(error, Stopped):
            why = {"why": type(error).__name__}
            self.ledger.end(self.run_id, RunState.FAILED, self.house.clock.now(), why)

    def _audit(self) -> Audit:
        """Look whether the plan still is what the sources hold, and what nothing answers for."""
        audit, datasets = Audit(), self.house.config.datasets
        configured = Configured.of(datasets, self.house.atlas.regions)
        audit_left(audit, self.plan, self.ledger, self.ledger, configured)
        audit_listing(audit, self.plan, self.ledger, self.house.sources, datasets)
        return audit

    def _strays(self) -> int:
        places = self.yard.places()
        return sum(
            strays(self.ledger, places[site].target, name, region)
            for name, region, site in destined(self.plan.datasets, self.scope)
        )

    def _unlisted(self) -> int:
        """Count the manifests that do not list exactly what the receipts say."""
        seal = self.house.key_seal.seal
        count = 0
        for name, region, site in destined(self.plan.datasets, self.scope):
            manifests = self.house.manifests(site, self.ledger.id, live=False)
            personal = self.house.config.datasets[name].keys is KeyClass.PERSONAL
            count += not agrees(self.ledger, manifests, name, region, seal if personal else None)
        return count


def _told(found: Verification) -> dict[str, object]:
    return {
        "matched": sum(one.matched for one in found.sums.values()),
        "differing": found.differing,
        "unverified": found.unverified,
        "strays": found.strays,
        "unlisted": found.unlisted,
        "unplanned": found.unplanned,
        "drifted": found.drifted,
        "waiting": found.waiting,
        "failures": found.failures,
    }


@contextmanager
def verify_job(house: House, order: Order, run_id: str | None = None) -> Iterator[VerifyJob]:
    """Open the verification that ``order`` means, or carry on the one that was stopped.

    ``run_id`` joins one that began elsewhere; who joins is told which stripes to run.
    """
    ledger = house.ledger()
    plan = plan_for(house, ledger, order)
    plan = replace(plan, datasets=wanted_datasets(plan, order))
    scope = scope_of(house, plan, order)
    whole = order == Order(mode=order.mode, plan=order.plan)
    stopped = _stopped(ledger, plan) if whole and run_id is None else None
    yard = Yard(
        house=house,
        plan=plan,
        scope=scope,
        ledger=ledger,
        decided=ledger,
        ledger_id=ledger.id,
        live=False,
    )
    yield VerifyJob(
        house=house,
        run_id=RunId(run_id) if run_id is not None else stopped or new_run(house.clock),
        plan=plan,
        stripes=stripes_of(ledger, plan) if run_id is None else (),
        scope=scope,
        ledger=ledger,
        yard=yard,
        begun=run_id is not None or stopped is not None,
    )


def _stopped(ledger: SqlLedger, plan: Plan) -> RunId | None:
    """Return the newest verification of the whole plan, if it never came to an end."""
    newest = next((run for run in ledger.runs() if run.verb == "verify"), None)
    if newest is None or newest.plan != plan.digest or newest.state is not RunState.RUNNING:
        return None
    return newest.id


__all__ = ["Mode", "Verification", "VerifyJob", "verify_job"]
