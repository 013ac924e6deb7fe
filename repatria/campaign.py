"""A run over a whole plan: every stripe, then manifests, then the audit of the end.

Whoever runs the stripes (threads of this process, Prefect tasks, workers on other machines) calls
``run_stripe``; the ledger and the leases are all that they share. ``finish`` says how it ended,
and green means: nothing failed, nothing waits, receipts = plan = a new listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from repatria.audit import Audit, Configured, audit_left, audit_listing, audit_receipts, moot
from repatria.dataset import KeyClass
from repatria.errors import PlanRefused
from repatria.inventory import Sources
from repatria.leasing import Tenancy
from repatria.manifest import Published, SealKey, publish, refuse_stranger
from repatria.names import DatasetName, RunId, SiteName
from repatria.plan import Plan
from repatria.ports.leases import Lease
from repatria.ports.ledger import PROCESS, Failure, Ledger, Plans, Run, RunState, Verdict
from repatria.ports.records import Manifests
from repatria.ports.rules import Clock
from repatria.site import Region
from repatria.stripe import StripeWork, Tally, Watch
from repatria.transfer import destined


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended. ``waiting`` counts records in quarantine that nobody decided on."""

    run: RunId
    state: RunState
    audit: Audit
    failures: Sequence[Failure] = ()
    waiting: int = 0
    manifests: Sequence[Published] = ()

    @property
    def exit_code(self) -> int:
        """0 where everything is done; 14 where something waits."""
        return 0 if self.state is RunState.COMPLETE else 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One run of a plan, live or rehearsed: which of the two shows in what it was given."""

    run: RunId
    mode: str
    plan: Plan
    plans: Plans
    ledger: Ledger
    scope: Sequence[Region]
    configured: Configured
    sources: Sources
    manifests: Mapping[SiteName, Manifests]
    tenancy: Tenancy
    clock: Clock
    sampled: bool = False  #: Only a part of the plan is read, so its listing proves nothing.
    seal: SealKey = field(repr=False)
    work: Callable[[DatasetName, SiteName], StripeWork] = field(repr=False)

    def begin(self) -> None:
        """Remember that this run began.

        Raises ``PlanRefused`` for a plan that has expired, and ``ForeignObject`` where another
        ledger's manifest stands: what was moved there could never be published.
        """
        now = self.clock.now()
        refuse_expired(self.plan, now)
        self._refuse_strangers()
        self.ledger.begin(
            Run(
                id=self.run,
                verb="migrate" if self.mode == "live" else "rehearse",
                mode=self.mode,
                plan=self.plan.digest,
                config_digest=self.plan.config_digest,
                began_at=now,
                summary={PROCESS: self.tenancy.holder},
            )
        )

    def run_stripe(self, number: int, watch: Watch) -> Tally:
        """Do what is left of one stripe, under its lease."""
        with self.tenancy.hold(self._lease_of(number)) as lease:
            return self._work_through(number, lease, watch)

    def run_next(self, numbers: Sequence[int], watch: Watch) -> tuple[int, Tally] | None:
        """Do what is left of the first of these stripes that nobody else is at; None if all are.

        So several runs of one plan share its work: each worker of each run offers the stripes
        that its run has not seen the end of (in order, without those that its own colleagues
        are at), and strikes off what comes back. A stripe that another run finished meanwhile
        costs one look at its receipts. Where None comes back the rest is in other hands: ask
        again after a while, or ``run_stripe`` one of them, which takes over from a holder who is
        silent for a lease length and raises ``FenceLost`` at once for one who is not.
        """
        names = {self._lease_of(number): number for number in numbers}
        with self.tenancy.hold_next(list(names)) as lease:
            if lease is None:
                return None
            number = names[lease.name]
            return number, self._work_through(number, lease, watch)

    def finish(self, tally: Tally) -> Ending:
        """Publish what stands, check the end against plan and listing, and say how it ended."""
        audit = Audit()
        audit_receipts(audit, self.plan, self.plans, self.ledger, self.scope)
        published = list(self._publish())
        if not self.sampled:
            audit_left(audit, self.plan, self.plans, self.ledger, self.configured)
            audit_listing(audit, self.plan, self.plans, self.sources, self.configured.datasets)
        waiting = sum(
            entry.rows
            for entry in self.ledger.waiting(verdict=Verdict.OPEN)
            if entry.dataset in self.plan.datasets
        )
        failures = self._failures()
        clean = audit.clean and not failures and not waiting
        ending = Ending(
            run=self.run,
            state=RunState.COMPLETE if clean else RunState.INCOMPLETE,
            audit=audit,
            failures=failures,
            waiting=waiting,
            manifests=published,
        )
        reach = {"datasets": len(self.plan.datasets), "regions": len(self.scope)}
        self.ledger.end(
            self.run, ending.state, self.clock.now(), {**summary(ending, tally), **reach}
        )
        return ending

    def stopped(self, tally: Tally, state: RunState, why: str) -> None:
        """Remember that the run ended early, and why (the name of an error, never a record)."""
        counts = {name: getattr(tally, name) for name in tally.__slots__}
        self.ledger.end(self.run, state, self.clock.now(), {**counts, "why": why})

    def _lease_of(self, number: int) -> str:
        return f"{self.mode}/{self.plan.digest[:16]}/{number}"

    def _work_through(self, number: int, lease: Lease, watch: Watch) -> Tally:
        stripe = self.plans.stripe(self.plan.digest, number)
        work = self.work(stripe.dataset, stripe.slices[0].site)
        tally = work.run(stripe, lease, watch)
        if not tally.failed:
            self.ledger.finish_stripe(self.plan.digest, number, lease)
        return tally

    def _publish(self) -> Iterator[Published]:
        for name, region, site in destined(self.plan.datasets, self.scope):
            yield publish(self.ledger, self.manifests[site], name, region, self._seal(name))

    def _refuse_strangers(self) -> None:
        """Look for manifests of another ledger wherever this one has moved nothing yet."""
        known = {(found.dataset, found.region) for found in self.ledger.moved()}
        for name, region, site in destined(self.plan.datasets, self.scope):
            if (name, region) not in known:
                refuse_stranger(self.manifests[site], name, region)

    def _seal(self, name: DatasetName) -> SealKey | None:
        personal = self.configured.datasets[name].keys is KeyClass.PERSONAL
        return self.seal if personal else None

    def _failures(self) -> Sequence[Failure]:
        """Return what failed; under the newest plan, forget first what it no longer reads."""
        newest = self.plans.plan()
        if newest is not None and newest.digest == self.plan.digest:
            for old in moot(self._failed(), self.plan, self.plans):
                self.ledger.finished(old.slice, old.version)
        return self._failed()

    def _failed(self) -> list[Failure]:
        return [f for f in self.ledger.failures() if f.dataset in self.plan.datasets]


def refuse_expired(plan: Plan, now: datetime) -> None:
    """Raise ``PlanRefused`` for a plan whose time is over."""
    if now >= plan.expires_at:
        raise PlanRefused(
            "the plan has expired",
            plan=plan.digest[:12],
            expired=plan.expires_at.isoformat(timespec="minutes"),
        )


def summary(ending: Ending, tally: Tally) -> dict[str, object]:
    """Return the counts of a run, as the ledger and the screens show them."""
    counts: dict[str, object] = {name: getattr(tally, name) for name in tally.__slots__}
    return {
        **counts,
        "waiting": ending.waiting,
        "failures": len(ending.failures),
        "unfinished": ending.audit.unfinished,
        "new": ending.audit.new,
        "changed": ending.audit.changed,
        "gone": ending.audit.gone,
        "empty": ending.audit.empty,
        "left": ending.audit.left,
    }
