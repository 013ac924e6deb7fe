"""The ledger in memory: the reference of every port of it. It forgets with its process."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from connectors.memory.receipts import MemoryReceipts, order
from repatria.amendment import home_lines
from repatria.errors import PlanRefused, Unbalanced
from repatria.names import DatasetName, PlanDigest, RegionName, RunId, SliceId
from repatria.plan import Plan, Stripe
from repatria.ports.leases import Lease
from repatria.ports.ledger import Comparison, Failure, Run, RunState
from repatria.ports.totals import Progress
from repatria.receipt import BatchName, Receipt

PREFIX: Final = 8
"""So many digits of a digest name a plan, at least."""


class MemoryLedger(MemoryReceipts):
    """Everything that a ledger remembers, in dictionaries under one lock."""

    def __init__(self) -> None:
        super().__init__()
        self.id = uuid.uuid4().hex
        self._configs: dict[str, str] = {}
        self._cuttings: dict[DatasetName, str] = {}
        self._plans: dict[PlanDigest, Plan] = {}
        self._stripes: dict[PlanDigest, dict[int, Stripe]] = {}
        self._finished: dict[PlanDigest, set[int]] = defaultdict(set)
        self._attempts: dict[tuple[SliceId, str], int] = {}
        self._failures: dict[tuple[SliceId, str], Failure] = {}
        self._runs: dict[RunId, Run] = {}
        self._compared: dict[RunId, dict[tuple[BatchName, RegionName], Comparison]] = defaultdict(
            dict
        )

    def close(self) -> None:
        """Nothing to give back."""

    def save_config(self, digest: str, text: str) -> None:
        with self._lock:
            self._configs.setdefault(digest, text)

    def config_text(self, digest: str) -> str | None:
        with self._lock:
            return self._configs.get(digest)

    def save_plan(self, plan: Plan, stripes: Iterable[Stripe]) -> None:
        with self._lock:
            old = self._plans.get(plan.digest)
        if old is None:
            found = {stripe.number: stripe for stripe in stripes}
            _same_plan(plan, found)
            with self._lock:
                self._plans[plan.digest], self._stripes[plan.digest] = plan, found
            return
        renewed = replace(
            old, made_at=plan.made_at, expires_at=plan.expires_at, estimates=plan.estimates
        )
        with self._lock:
            del self._plans[plan.digest]
            self._plans[plan.digest] = renewed

    def plan(self, digest: PlanDigest | None = None) -> Plan | None:
        if digest is not None and len(digest) < PREFIX:
            raise PlanRefused("a plan is named by 8 digits of its digest, or more")
        found = [plan for plan in self.plans() if plan.digest.startswith(digest or "")]
        if digest is not None and len(found) > 1:
            raise PlanRefused("several plans begin like this; give more digits", given=digest)
        return found[0] if found else None

    def plans(self) -> Sequence[Plan]:
        """Return the newest first."""
        with self._lock:
            return list(reversed(self._plans.values()))

    def stripe(self, plan: PlanDigest, number: int) -> Stripe:
        with self._lock:
            found = self._stripes.get(plan, {}).get(number)
        if found is None:
            raise PlanRefused("this plan has no such stripe", plan=plan[:PREFIX], stripe=number)
        return found

    def stripes(self, plan: PlanDigest) -> Iterator[Stripe]:
        with self._lock:
            found = dict(self._stripes.get(plan, {}))
        for number in sorted(found):
            yield found[number]

    def fix_cutting(self, dataset: DatasetName, text: str) -> str:
        with self._lock:
            if next(self.receipts(dataset), None) is None:
                self._cuttings[dataset] = text
            return self._cuttings.setdefault(dataset, text)

    def attempt(self, piece: SliceId, version: str) -> int:
        with self._lock:
            attempts = self._attempts.get((piece, version), 0) + 1
            self._attempts[piece, version] = attempts
            return attempts

    def finished(self, piece: SliceId, version: str) -> None:
        with self._lock:
            self._attempts.pop((piece, version), None)
            self._failures.pop((piece, version), None)

    def failed(self, failure: Failure) -> None:
        """Record why; attempts that were counted stay as they are."""
        with self._lock:
            self._attempts.setdefault((failure.slice, failure.version), failure.attempts)
            self._failures[failure.slice, failure.version] = failure

    def failures(self) -> Sequence[Failure]:
        """Return them in order of (slice, version)."""
        with self._lock:
            found = sorted(self._failures.items(), key=lambda item: item[0])
            return [replace(failure, attempts=self._attempts[key]) for key, failure in found]

    def begin(self, run: Run) -> None:
        with self._lock:
            self._runs.setdefault(run.id, run)

    def end(self, run: RunId, state: RunState, at: datetime, summary: Mapping[str, object]) -> None:
        with self._lock:
            assert run in self._runs, "a run ends after it began"
            begun = self._runs[run]
            self._runs[run] = replace(begun, state=state, ended_at=at, summary=dict(summary))

    def runs(self, limit: int = 50) -> Sequence[Run]:
        with self._lock:
            return list(reversed(self._runs.values()))[:limit]

    def compared(
        self, run: RunId, pieces: Sequence[SliceId]
    ) -> frozenset[tuple[BatchName, RegionName]]:
        wanted = set(pieces)
        with self._lock:
            return frozenset(key for key in self._compared[run] if key[0].slice in wanted)

    def save_comparisons(self, run: RunId, found: Sequence[Comparison]) -> None:
        """Record what was found; a later finding about the same takes the place of an earlier."""
        with self._lock:
            self._compared[run].update({(each.batch, each.region): each for each in found})

    def comparisons(self, run: RunId) -> Iterator[Comparison]:
        """Yield them in order of (slice, ordinal, version, region)."""
        with self._lock:
            found = list(self._compared[run].values())
        yield from sorted(found, key=lambda each: (*order(each.batch), each.region))

    def moved(self) -> Sequence[Progress]:
        sums: dict[tuple[DatasetName, RegionName], list[int]] = defaultdict(lambda: [0, 0, 0])
        with self._lock:
            found = self._standing()
        for receipt in found:
            for line in home_lines(receipt.lines).values():
                total = sums[receipt.dataset, line.region]
                for place, more in enumerate((1, line.rows, line.object.size)):
                    total[place] += more
        return [
            Progress(dataset=dataset, region=region, batches=batches, rows=rows, bytes=size)
            for (dataset, region), (batches, rows, size) in sorted(sums.items())
        ]

    def accounts(self) -> Mapping[DatasetName, Mapping[str, int]]:
        sums: dict[DatasetName, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        with self._lock:
            found = self._standing()
        for receipt in found:
            for name, more in _counted(receipt).items():
                sums[receipt.dataset][name] += more
        return {dataset: dict(total) for dataset, total in sorted(sums.items())}

    def stripes_done(self, plan: PlanDigest) -> frozenset[int]:
        with self._lock:
            return frozenset(self._finished[plan])

    def finish_stripe(self, plan: PlanDigest, number: int, lease: Lease) -> None:
        with self._lock:
            self._hold(lease)
            self._finished[plan].add(number)


def _same_plan(plan: Plan, stripes: Mapping[int, Stripe]) -> None:
    slices = sum(len(stripe.slices) for stripe in stripes.values())
    if (len(stripes), slices) != (plan.stripe_count, plan.slice_count):
        raise Unbalanced(
            "the stripes are not those of the plan",
            plan=plan.digest[:PREFIX],
            stripes=len(stripes),
            stripes_planned=plan.stripe_count,
            slices=slices,
            slices_planned=plan.slice_count,
        )


def _counted(receipt: Receipt) -> dict[str, int]:
    return {
        "batches": 1,
        "read": receipt.read,
        "erased": receipt.erased,
        "quarantined": receipt.quarantined,
        "superseded": receipt.superseded,
        "bytes": receipt.bytes_read,
    }
