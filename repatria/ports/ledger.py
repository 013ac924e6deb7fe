"""Ports of the ledger, one for each use. No per-record state, no user's identifier in clear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from repatria.batch import Reason
from repatria.names import DatasetName, PlanDigest, RegionName, RunId, SiteName, SliceId
from repatria.plan import Plan, Stripe
from repatria.ports.leases import Lease, Leases
from repatria.ports.totals import Totals
from repatria.receipt import BatchName, Receipt
from repatria.stored import ObjectVersion


class Plans(Protocol):
    """Plans and the configurations that they were made with."""

    def save_config(self, digest: str, text: str) -> None:
        """Remember a configuration's canonical text under its digest."""
        ...

    def config_text(self, digest: str) -> str | None: ...

    def save_plan(self, plan: Plan, stripes: Iterable[Stripe]) -> None:
        """Store a plan in one transaction; one with the same digest has its dates renewed."""
        ...

    def plan(self, digest: PlanDigest | None = None) -> Plan | None:
        """Return that plan, or the newest. A unique beginning of a digest (8+) will do."""
        ...

    def plans(self) -> Sequence[Plan]: ...

    def stripe(self, plan: PlanDigest, number: int) -> Stripe: ...

    def stripes(self, plan: PlanDigest) -> Iterator[Stripe]:
        """Yield stripes in order of their numbers, one in memory at a time."""
        ...

    def fix_cutting(self, dataset: DatasetName, text: str) -> str:
        """Remember how a dataset is cut; return what is fixed: with a receipt of it, the first."""
        ...


class Receipts(Protocol):
    """Receipts: the checkpoints of all work. Of a slice and ordinal one version stands."""

    def committed(self, pieces: Sequence[SliceId]) -> Mapping[BatchName, Receipt]:
        """Return the receipts of these slices that stand, at whatever versions."""
        ...

    def commit(
        self, receipt: Receipt, lease: Lease, entries: Sequence[bytes], over: str | None = None
    ) -> None:
        """Store a receipt and its journal entries in one transaction, if the fence holds.

        Lines that exist already stay as they are unless the new one counts another ``replaced``.
        A receipt of another version, which must be ``over`` (seen when the work began), goes with
        its quarantine if each parcel is named again, left alone or replaced once more. An entry
        keeps number and verdict if its positions are among those that it had; else it is new.
        Raises ``FenceLost``, and ``Unbalanced`` for what does not balance or would be lost.
        """
        ...

    def receipts(
        self, dataset: DatasetName | None = None, region: RegionName | None = None
    ) -> Iterator[Receipt]:
        """Yield receipts in order of (slice, ordinal), streaming."""
        ...

    def reopen(self, batches: Sequence[BatchName]) -> int:
        """Mark batches that stand to be read again; return how many are marked now."""
        ...

    def reopened(self, pieces: Sequence[SliceId]) -> frozenset[BatchName]: ...


class FailureKind(StrEnum):
    """Why a slice could not be finished."""

    BAD = "bad"
    POISON = "poison"  #: It ended or stalled its decoder, which somebody saw.
    STALE = "stale"
    MISSING = "missing"
    ARCHIVED = "archived"
    CHANGED = "changed"  #: Its residency decisions differ from those of its receipt.
    REFUSED = "refused"
    TRANSIENT = "transient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A slice that could not be finished at one version, and why."""

    slice: SliceId
    version: str
    dataset: DatasetName
    site: SiteName
    label: str
    kind: FailureKind
    why: str
    attempts: int = 1


class Failures(Protocol):
    """Slices that could not be finished. Attempts are recorded before decoding begins."""

    def attempt(self, piece: SliceId, version: str) -> int:
        """Record that decoding begins; return how often it has begun without an end."""
        ...

    def finished(self, piece: SliceId, version: str) -> None:
        """Forget attempts and failure: the slice was read to its end."""
        ...

    def failed(self, failure: Failure) -> None: ...
    def failures(self) -> Sequence[Failure]: ...


class Verdict(StrEnum):
    """What became of records in quarantine."""

    OPEN = "open"
    RELEASE = "release"  #: To be moved as if nothing were wrong (orphans, conflicts).
    DROP = "drop"  #: Given up, by decision of a person.


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One entry of the quarantine: records of one batch that wait for one reason."""

    id: int
    batch: BatchName
    dataset: DatasetName
    site: SiteName
    label: str
    reason: Reason
    region: RegionName | None
    rows: int
    positions: tuple[int, ...] = field(repr=False)
    kept_site: SiteName | None
    kept: ObjectVersion | None
    verdict: Verdict
    by: str | None = None
    why: str | None = None


class Quarantine(Protocol):
    """What waits, and what people decided."""

    def waiting(
        self, dataset: DatasetName | None = None, verdict: Verdict | None = None
    ) -> Iterator[Quarantined]: ...

    def entry(self, number: int) -> Quarantined | None: ...

    def decide(self, numbers: Sequence[int], verdict: Verdict, by: str, why: str) -> int:
        """Record a decision about entries; return how many changed. Releasing reopens batches."""
        ...

    def rule(self, dataset: DatasetName, reason: Reason, verdict: Verdict, by: str) -> None:
        """Record one decision for a whole dataset: orphans or conflicts, now and later."""
        ...

    def rules(self) -> Mapping[tuple[DatasetName, Reason], Verdict]: ...


class RunState(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    STOPPED = "stopped"
    FAILED = "failed"


PROCESS: Final = "process"
"""What a run's summary names while it goes on: the process that conducts it (as a holder)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a verb that works on data."""

    id: RunId
    verb: str
    mode: str
    plan: PlanDigest | None
    config_digest: str
    began_at: datetime
    ended_at: datetime | None = None
    state: RunState = RunState.RUNNING
    summary: Mapping[str, object] = field(default_factory=dict)


class Runs(Protocol):
    """What was started, and how it ended."""

    def begin(self, run: Run) -> None: ...
    def end(
        self, run: RunId, state: RunState, at: datetime, summary: Mapping[str, object]
    ) -> None: ...

    def runs(self, limit: int = 50) -> Sequence[Run]:
        """Return the newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What verification found for one batch and region. All zero but ``matched`` is clean."""

    batch: BatchName
    dataset: DatasetName
    region: RegionName
    matched: int
    missing: int = 0
    extra: int = 0
    altered: int = 0
    unverified: int = 0
    why: str = ""


class Comparisons(Protocol):
    """How far a verification has come, and what it found."""

    def compared(
        self, run: RunId, pieces: Sequence[SliceId]
    ) -> frozenset[tuple[BatchName, RegionName]]: ...

    def save_comparisons(self, run: RunId, found: Sequence[Comparison]) -> None: ...

    def comparisons(self, run: RunId) -> Iterator[Comparison]: ...


class Outbox(Protocol):
    """Entries that the journal has yet to take; none is ever forgotten."""

    def entries(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]: ...


class Finished(Protocol):
    """The stripes that were worked through to their end."""

    def stripes_done(self, plan: PlanDigest) -> frozenset[int]:
        """Return the stripes that some run finished under this plan."""
        ...

    def finish_stripe(self, plan: PlanDigest, number: int, lease: Lease) -> None: ...


class Ledger(
    Plans,
    Leases,
    Receipts,
    Finished,
    Failures,
    Quarantine,
    Runs,
    Comparisons,
    Outbox,
    Totals,
    Protocol,
):
    """Everything that the ledger remembers. Engines are handed less."""

    def close(self) -> None: ...
