"""Leases, receipts, quarantine and outbox in memory: all that a commit touches.

Plain dictionaries under one lock, written for being read: the reference of these ports. What a
later receipt may change is decided by ``repatria.amendment``, as in every ledger. Of a slice and
ordinal one receipt stands, so that is its key; its version is only a part of its name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from repatria.amendment import amend
from repatria.batch import Reason
from repatria.errors import FenceLost
from repatria.names import DatasetName, Ordinal, RegionName, SliceId
from repatria.ports.leases import Lease
from repatria.ports.ledger import Quarantined, Verdict
from repatria.receipt import BatchName, Receipt, Waiting

BY_RULE: Final = "decided for the whole dataset"


@dataclass(slots=True)
class _Tenancy:
    holder: str | None
    fence: int
    beat: int


@dataclass(frozen=True, slots=True)
class _Ruling:
    verdict: Verdict
    by: str


class MemoryReceipts:
    """The ``Leases``, ``Receipts``, ``Quarantine`` and ``Outbox`` ports."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._leases: dict[str, _Tenancy] = {}
        self._receipts: dict[SliceId, dict[Ordinal, Receipt]] = {}
        self._reopened: set[BatchName] = set()
        self._entries: dict[int, Quarantined] = {}
        self._waits: dict[BatchName, list[int]] = {}
        self._numbers = 0
        self._rules: dict[tuple[DatasetName, Reason], _Ruling] = {}
        self._outbox: dict[bytes, int] = {}

    def take(self, name: str, holder: str, expect: tuple[int, int] | None) -> Lease | None:
        with self._lock:
            held = self._leases.setdefault(name, _Tenancy(None, 0, 0))
            if held.holder is not None and expect != (held.fence, held.beat):
                return None
            held.holder, held.fence, held.beat = holder, held.fence + 1, 0
            return Lease(name, holder, held.fence)

    def claim(self, names: Sequence[str], holder: str) -> Lease | None:
        with self._lock:
            found = (self.take(name, holder, None) for name in names)
            return next((lease for lease in found if lease is not None), None)

    def look(self, name: str) -> tuple[str, int, int] | None:
        with self._lock:
            held = self._leases.get(name)
            if held is None or held.holder is None:
                return None
            return held.holder, held.fence, held.beat

    def beat(self, lease: Lease) -> None:
        with self._lock:
            self._hold(lease).beat += 1

    def release(self, lease: Lease) -> None:
        with self._lock:
            held = self._leases.get(lease.name)
            if held is not None and held.fence == lease.fence:
                held.holder = None

    def committed(self, pieces: Sequence[SliceId]) -> Mapping[BatchName, Receipt]:
        with self._lock:
            found = [self._receipts.get(piece, {}).values() for piece in pieces]
            return {receipt.batch: receipt for held in found for receipt in held}

    def commit(
        self, receipt: Receipt, lease: Lease, entries: Sequence[bytes], over: str | None = None
    ) -> None:
        receipt.checked()
        with self._lock:
            self._hold(lease)
            self._amend(receipt, over)
            for entry in entries:
                self._outbox.setdefault(entry, len(self._outbox) + 1)

    def receipts(
        self, dataset: DatasetName | None = None, region: RegionName | None = None
    ) -> Iterator[Receipt]:
        """Yield receipts of that dataset that have a line of that region, each one whole."""
        with self._lock:
            found = self._standing()
        for receipt in sorted(found, key=lambda receipt: order(receipt.batch)):
            here = region is None or region in {line.region for line in receipt.lines}
            if here and dataset in {None, receipt.dataset}:
                yield receipt

    def reopen(self, batches: Sequence[BatchName]) -> int:
        with self._lock:
            known = self.committed([batch.slice for batch in batches]).keys() & set(batches)
            self._reopened |= known
            return len(known)

    def reopened(self, pieces: Sequence[SliceId]) -> frozenset[BatchName]:
        with self._lock:
            wanted = set(pieces)
            return frozenset(batch for batch in self._reopened if batch.slice in wanted)

    def waiting(
        self, dataset: DatasetName | None = None, verdict: Verdict | None = None
    ) -> Iterator[Quarantined]:
        with self._lock:
            found = [self._entries[number] for number in sorted(self._entries)]
        for entry in found:
            if dataset in {None, entry.dataset} and verdict in {None, entry.verdict}:
                yield entry

    def entry(self, number: int) -> Quarantined | None:
        with self._lock:
            return self._entries.get(number)

    def decide(self, numbers: Sequence[int], verdict: Verdict, by: str, why: str) -> int:
        with self._lock:
            named = [self._entries[n] for n in dict.fromkeys(numbers) if n in self._entries]
            return self._decide(named, verdict, by, why)

    def rule(self, dataset: DatasetName, reason: Reason, verdict: Verdict, by: str) -> None:
        """Record a decision for a dataset; ``OPEN`` takes an earlier one back."""
        with self._lock:
            if verdict is Verdict.OPEN:
                self._rules.pop((dataset, reason), None)
                return
            self._rules[dataset, reason] = _Ruling(verdict, by)
            named = [e for e in self.waiting(dataset, Verdict.OPEN) if e.reason is reason]
            self._decide(named, verdict, by, BY_RULE)

    def rules(self) -> Mapping[tuple[DatasetName, Reason], Verdict]:
        with self._lock:
            return {key: ruling.verdict for key, ruling in self._rules.items()}

    def entries(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        with self._lock:
            found = [(number, entry) for entry, number in self._outbox.items() if number > after]
        return found[:limit]

    def _hold(self, lease: Lease) -> _Tenancy:
        held = self._leases.get(lease.name)
        if held is None or held.holder is None or held.fence != lease.fence:
            raise FenceLost("somebody newer holds this lease", lease=lease.name, fence=lease.fence)
        return held

    def _standing(self) -> list[Receipt]:
        return [receipt for held in self._receipts.values() for receipt in held.values()]

    def _amend(self, receipt: Receipt, over: str | None) -> None:
        batch = receipt.batch
        held = self._receipts.setdefault(batch.slice, {})
        stored = held.get(batch.ordinal)
        reopened = batch in self._reopened
        after = amend(stored, receipt, reopened=reopened, over=over)
        if after is stored and not reopened:
            return
        if stored is not None and stored.batch != batch:
            self._forget(stored.batch)
        held[batch.ordinal] = after
        self._reopened.discard(batch)
        if self._settle(after):
            self._reopened.add(batch)

    def _forget(self, former: BatchName) -> None:
        self._reopened.discard(former)
        for number in self._waits.pop(former, ()):
            del self._entries[number]

    def _settle(self, receipt: Receipt) -> bool:
        """Make the entries of a batch those of its receipt; say if released records still wait."""
        gone = [self._entries.pop(number) for number in self._waits.pop(receipt.batch, ())]
        held = {(entry.reason, entry.region): entry for entry in gone}
        entries = [
            self._entry(receipt, waiting, held.get((waiting.reason, waiting.region)))
            for waiting in receipt.waiting
        ]
        self._entries.update((entry.id, entry) for entry in entries)
        self._waits[receipt.batch] = [entry.id for entry in entries]
        return any(entry.verdict is Verdict.RELEASE and entry.rows for entry in entries)

    def _entry(self, receipt: Receipt, waiting: Waiting, old: Quarantined | None) -> Quarantined:
        ruling = self._rules.get((receipt.dataset, waiting.reason))
        if old is not None and not set(waiting.positions) <= set(old.positions):
            old = None  # Nobody has seen all of these: it is another entry.
        if old is None:
            self._numbers += 1
        new = Quarantined(
            id=self._numbers,
            batch=receipt.batch,
            dataset=receipt.dataset,
            site=receipt.site,
            label=receipt.label or receipt.batch.slice,
            reason=waiting.reason,
            region=waiting.region,
            rows=waiting.rows,
            positions=waiting.positions,
            kept_site=waiting.site,
            kept=waiting.kept,
            verdict=ruling.verdict if ruling is not None else Verdict.OPEN,
            by=ruling.by if ruling is not None else None,
            why=BY_RULE if ruling is not None else None,
        )
        if old is None:
            return new
        return replace(new, id=old.id, verdict=old.verdict, by=old.by, why=old.why)

    def _decide(self, named: Iterable[Quarantined], verdict: Verdict, by: str, why: str) -> int:
        changing = [entry for entry in named if entry.verdict is not verdict]
        for entry in changing:
            self._entries[entry.id] = replace(entry, verdict=verdict, by=by, why=why)
            if Verdict.RELEASE in {verdict, entry.verdict}:
                self._reopened.add(entry.batch)
        return len(changing)


def order(batch: BatchName) -> tuple[SliceId, Ordinal, str]:
    """Return the key by which batches are told in order."""
    return batch.slice, batch.ordinal, batch.version
