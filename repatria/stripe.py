"""Works through one stripe: every batch that has something left to do, under a fenced lease.

Starting is resuming (law 6): what is complete for the regions asked for is passed over, and the
rest is done. One object that cannot be used becomes a failed slice with a reason, and the work
goes on; what concerns the whole run (a refusal, a mismatch, a store that is away) is raised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from repatria.attempt import Attempt
from repatria.batch import Batch
from repatria.errors import (
    Archived,
    BadObject,
    DecisionsChanged,
    DigestDiffers,
    LeftOut,
    Missing,
    Poison,
    RepatriaError,
    Spoilt,
    StaleSlice,
    Stopped,
)
from repatria.names import SliceId
from repatria.plan import Stripe
from repatria.ports.leases import Lease
from repatria.ports.ledger import Failure, FailureKind, Failures, Receipts
from repatria.ports.records import Source
from repatria.ports.rules import Progresses
from repatria.receipt import BatchName, Receipt
from repatria.slice import Slice
from repatria.sorter import name_of
from repatria.transfer import Known, Transfer, complete, destinations

_KINDS: Final[Mapping[type[RepatriaError], FailureKind]] = {
    BadObject: FailureKind.BAD,
    Poison: FailureKind.POISON,
    StaleSlice: FailureKind.STALE,
    Missing: FailureKind.MISSING,
    Archived: FailureKind.ARCHIVED,
    DecisionsChanged: FailureKind.CHANGED,
    LeftOut: FailureKind.CHANGED,
}


@dataclass(slots=True)
class Tally:
    """What one stripe came to: counts only. ``done`` counts slices that need nothing more."""

    batches: int = 0
    read: int = 0
    moved: int = 0
    quarantined: int = 0
    bytes_read: int = 0
    done: int = 0
    failed: int = 0

    def add(self, other: Tally) -> None:
        """Add the counts of another stripe."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far work has come, and who may ask it to stop."""

    progress: Progresses
    stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _At:
    """One worker in the middle of its work."""

    lease: Lease
    watch: Watch
    tally: Tally
    known: Mapping[SliceId, Sequence[Failure]]

    def count(self, receipt: Receipt, before: Receipt | None) -> None:
        moved = receipt.moved - (before.moved if before is not None else 0)
        self.tally.batches += 1
        self.tally.read += receipt.read
        self.tally.moved += moved
        self.tally.quarantined += receipt.quarantined
        self.tally.bytes_read += receipt.bytes_read
        self.watch.progress.batch(receipt.dataset, receipt.read, moved, receipt.bytes_read)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the ledger knew of a stripe's slices when the work began."""

    receipts: Mapping[BatchName, Receipt]
    reopened: frozenset[BatchName]
    others: Mapping[SliceId, Sequence[Receipt]] = field(default_factory=dict)

    @classmethod
    def of(cls, receipts: Receipts, pieces: Sequence[Slice]) -> History:
        """Ask the ledger about ``pieces``."""
        ids = [piece.id for piece in pieces]
        found = receipts.committed(ids)
        now = {piece.id: piece.version for piece in pieces}
        others: defaultdict[SliceId, list[Receipt]] = defaultdict(list)
        for name, receipt in found.items():
            if now[name.slice] != name.version:
                others[name.slice].append(receipt)
        return cls(receipts=found, reopened=receipts.reopened(ids), others=others)

    def of_piece(self, piece: Slice) -> list[Receipt]:
        """Return the receipts of this version, by ordinal, without a gap from 0."""
        found: list[Receipt] = []
        while receipt := self.receipts.get(BatchName(piece.id, len(found), piece.version)):
            found.append(receipt)
        return found

    def known(self, name: BatchName) -> Known:
        """Return what is known of one batch, older versions of its source included."""
        former = self._former(name)
        lines = former.lines if former is not None else ()
        return Known(
            receipt=self.receipts.get(name),
            reopened=name in self.reopened,
            over=former.batch.version if former is not None else None,
            former={(line.region, line.site): line for line in lines},
        )

    def _former(self, name: BatchName) -> Receipt | None:
        """Return the receipt that stands at another version: of each batch, one does."""
        others = self.others.get(name.slice, ())
        return next((old for old in others if old.batch.ordinal == name.ordinal), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeWork:
    """Works through stripes of one dataset and site."""

    transfer: Transfer
    source: Source
    failures: Failures
    decode_attempts: int = 3

    def run(self, stripe: Stripe, lease: Lease, watch: Watch) -> Tally:
        """Do what is left of ``stripe``. Raises ``Stopped`` at a batch boundary when asked to."""
        history = History.of(self.transfer.receipts, stripe.slices)
        failed = self._failed()
        tally = Tally()
        for piece in stripe.slices:
            if self._finished(piece, history):
                tally.done += 1
                self._forget(piece, failed)
                continue
            try:
                self._move(piece, history, _At(lease, watch, tally, failed))
            except (Spoilt, Archived) as error:
                tally.failed += 1
                self.failures.failed(failure(piece, error))
                watch.progress.slice_done(piece.dataset, piece.label, str(error))
            else:
                tally.done += 1
                self.failures.finished(piece.id, piece.version)
                self._forget(piece, failed)
                watch.progress.slice_done(piece.dataset, piece.label, None)
        return tally

    def _failed(self) -> Mapping[SliceId, Sequence[Failure]]:
        found: defaultdict[SliceId, list[Failure]] = defaultdict(list)
        for told in self.failures.failures():
            found[told.slice].append(told)
        return found

    def _forget(self, piece: Slice, failed: Mapping[SliceId, Sequence[Failure]]) -> None:
        """Forget failures of a slice that is finished, whichever version of it failed."""
        for told in failed.get(piece.id, ()):
            self.failures.finished(piece.id, told.version)

    def _finished(self, piece: Slice, history: History) -> bool:
        receipts = history.of_piece(piece)
        return (
            bool(receipts)
            and receipts[-1].last
            and not history.others.get(piece.id)
            and all(self._settled(receipt, history) for receipt in receipts)
        )

    def _settled(self, receipt: Receipt, history: History) -> bool:
        return (
            receipt.batch not in history.reopened
            and complete(receipt, self.transfer.scope)
            and self.transfer.sorter.stands(receipt)
        )

    def _move(self, piece: Slice, history: History, at: _At) -> None:
        self._covers(piece, history)
        known = at.known.get(piece.id, ())
        attempt = Attempt(self.failures, piece, self.decode_attempts)
        with attempt.begun(known):
            self._read(piece, history, at, attempt)

    def _read(self, piece: Slice, history: History, at: _At, attempt: Attempt) -> None:
        like = self.source.look(piece.object)
        last: Batch | None = None
        moved: list[BatchName] = []
        try:
            for batch in self.source.batches(
                self.transfer.dataset, piece, self._after(piece, history)
            ):
                if at.watch.stopping():
                    raise Stopped("stopped at a batch boundary, as asked", slice=piece.id)
                last = batch
                known = history.known(name_of(batch))
                if known.receipt is not None and self._settled(known.receipt, history):
                    continue
                receipt = self.transfer.move(batch, known, at.lease, like)
                moved.append(receipt.batch)
                attempt.progressed()
                at.count(receipt, known.receipt)
        except DigestDiffers:
            # Told at the end of a reading, about all of it: its batches are read again.
            self.transfer.receipts.reopen(moved)
            raise
        for receipt in history.others.get(piece.id, ()):
            if last is not None and receipt.batch.ordinal > last.ordinal:
                self.transfer.empty(last, receipt, at.lease)

    def _after(self, piece: Slice, history: History) -> int | None:
        """Return the ordinal up to which every batch is settled, or None.

        An object that changed is read whole: its end says which old parcels have no batch left.
        """
        if history.others.get(piece.id):
            return None
        settled = takewhile(
            lambda receipt: self._settled(receipt, history), history.of_piece(piece)
        )
        return max((receipt.batch.ordinal for receipt in settled), default=None)

    def _covers(self, piece: Slice, history: History) -> None:
        """Refuse to replace what stands at home for regions that this plan leaves out."""
        ways = {
            (region.name, site) for region in self.transfer.scope for site in destinations(region)
        }
        others = history.others.get(piece.id, ())
        held = {(line.region, line.site) for old in others for line in old.lines}
        if left_out := sorted({region for region, _ in held - ways}):
            raise LeftOut(
                "a changed object was moved for other regions too", regions=", ".join(left_out)
            )


def failure(piece: Slice, error: RepatriaError) -> Failure:
    """Describe a slice that could not be finished."""
    kinds = (kind for cls, kind in _KINDS.items() if isinstance(error, cls))
    return Failure(
        slice=piece.id,
        version=piece.version,
        dataset=piece.dataset,
        site=piece.site,
        label=piece.label,
        kind=next(kinds, FailureKind.REFUSED),
        why=str(error),
    )
