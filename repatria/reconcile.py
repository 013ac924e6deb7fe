"""Reconciles the backup with the primary, record by record, in bounded memory.

1. The backup's contested slices are read; of each record only digests (identity, content), its
   version and its place are set aside, by the first byte of the identity's digest.
2. All slices of the primary are read; records whose identity nobody contests are passed over by a
   filter that may let some through but never drops a contested one.
3. Partition by partition both are judged (``contest.judge``), and what does not win is set aside
   by slice.
4. The verdicts are written in order of (slice, ordinal, row), with every batch that was heard.

A slice that cannot be read is not heard at all: what was set aside of it is left out, so that
no verdict rests on half of a slice. Where such a slice is the primary's, its records' backup
copies become orphans, which wait for a person. The same slices give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from repatria.batch import LINE, Batch
from repatria.contest import Copies, Standing, judge
from repatria.dataset import Dataset
from repatria.digest import Digester, Digests
from repatria.errors import Archived, Spoilt
from repatria.names import SliceId
from repatria.ports.records import Source
from repatria.ports.spill import (
    PARTS,
    Heard,
    Rows,
    Spill,
    Spills,
    VerdictBlock,
    VerdictShelf,
)
from repatria.residency import declared
from repatria.slice import Slice
from repatria.versions import versions

FILTER_SLOTS: Final = 1 << 26
"""Bytes of the filter of contested identities: one per slot, touched only where one falls."""

_COPY: Final = np.dtype(
    [
        ("identity", "<u8", (2,)),
        ("content", "<u8", (2,)),
        ("version", "<i8"),
        ("versioned", "?"),
        ("named", "?"),
        ("piece", "<u4"),
        ("ordinal", "<u4"),
        ("row", "<u4"),
    ]
)
_RULING: Final = np.dtype([("piece", "<u4"), ("ordinal", "<u4"), ("row", "<u4"), ("code", "|u1")])
_HEARING: Final = np.dtype(
    [("piece", "<u4"), ("ordinal", "<u4"), ("rows", "<u4"), ("state", "|u1")]
)
_FIRST_BYTE: Final = np.uint64(56)
_ORDINAL_BITS: Final = np.uint64(32)
_SLOT: Final = np.uint64(FILTER_SLOTS - 1)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Verdicts that stand: their digest, what they say in rows, and what was not heard."""

    digest: str
    contested: int
    superseded: int
    conflicts: int
    orphans: int
    failed: tuple[tuple[SliceId, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Reconciles one dataset."""

    dataset: Dataset
    primary: Source
    backup: Source
    digester: Digester
    spills: Spills
    shelf: VerdictShelf

    def reconcile(self, pieces: Callable[[], Iterable[Slice]]) -> Reconciled:
        """Read contested slices of the backup and all of the primary's, and keep verdicts.

        ``pieces`` gives the slices of both sites, twice the same. Spoilt and archived slices are
        named in the answer; ``Transient`` and the rest pass through, and keep nothing.
        """
        with (
            self.spills.open(_COPY) as theirs,
            self.spills.open(_COPY) as ours,
            self.spills.open(_RULING) as rulings,
            self.spills.open(_HEARING) as hearings,
        ):
            court = _Court(self, rulings, hearings)
            court.hear(self.backup, pieces(), theirs)
            court.hear(self.primary, pieces(), ours)
            court.rule(ours, theirs)
            digest = self.shelf.write(court.blocks())
        return court.told(digest)


@dataclass(slots=True)
class _Court:
    """One reconciliation on its way."""

    case: Reconciler
    rulings: Spill
    hearings: Spill
    contested: int = 0
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(4, dtype=np.int64))
    failed: list[tuple[SliceId, str]] = field(default_factory=list)
    _ids: bytearray = field(default_factory=bytearray)
    _lost: bytearray = field(default_factory=bytearray)
    _filter: Mask = field(default_factory=lambda: np.zeros(FILTER_SLOTS, dtype=np.bool_))

    def hear(self, source: Source, pieces: Iterable[Slice], spill: Spill) -> None:
        """Read the slices of one site; the backup is heard first."""
        backup = source is self.case.backup
        for piece in pieces:
            if piece.site != source.site:
                continue
            number = len(self._lost)
            self._ids += bytes.fromhex(piece.id)
            self._lost.append(0)
            try:
                for batch in source.batches(self.case.dataset, piece, None):
                    self._hear(batch, number, spill, backup=backup)
            except (Spoilt, Archived) as error:
                self._lost[number] = 1
                self.failed.append((piece.id, str(error)))
                state = Heard.BACKUP_FAILED if backup else Heard.PRIMARY_FAILED
                self._note(number, 0, 0, state)

    def _hear(self, batch: Batch, number: int, spill: Spill, *, backup: bool) -> None:
        columns = [declared(batch.rows, column) for column in self.case.dataset.identity]
        types = [column.type for column in self.case.dataset.identity]
        identity = self.case.digester.values(columns, types)
        named = _named(columns)
        slots = identity.high & _SLOT
        if backup:
            self._filter[slots[named]] = True
            self.contested += len(identity)
            wanted = np.arange(len(identity))
        else:
            wanted = np.flatnonzero(named & self._filter[slots])
        state = Heard.BACKUP if backup else Heard.PRIMARY
        self._note(number, batch.ordinal, len(identity), state)
        copies = self._copies(batch.rows, identity, wanted)
        copies["named"] = named[wanted]
        copies["piece"], copies["ordinal"] = number, batch.ordinal
        # Nameless copies meet nobody, so that they may be spread by content.
        key = np.where(copies["named"], copies["identity"][:, 0], copies["content"][:, 0])
        spill.append(copies, (key >> _FIRST_BYTE).astype(np.uint8))

    def _copies(self, rows: pa.Table, identity: Digests, wanted: npt.NDArray[np.int64]) -> Rows:
        """Return the wanted rows as copies: digests, version and row."""
        if len(wanted) < rows.num_rows:
            rows = rows.take(pa.array(wanted, pa.int64()))
        content = content_of(self.case.digester, self.case.dataset, rows)
        copies = np.zeros(len(wanted), dtype=_COPY)
        copies["identity"], copies["content"] = identity.pairs[wanted], content.pairs
        copies["row"] = wanted
        stamps = versions(rows, self.case.dataset.version)
        if stamps is not None:
            copies["version"], copies["versioned"] = stamps.numbers, stamps.valid
        return copies

    def _note(self, number: int, ordinal: int, rows: int, state: int) -> None:
        note = np.array([(number, ordinal, rows, state)], dtype=_HEARING)
        self.hearings.append(note, self._parts(note["piece"]))

    def rule(self, ours: Spill, theirs: Spill) -> None:
        """Judge partition by partition; set aside what does not win."""
        for part in range(PARTS):
            primary = self._whole(ours.read(part))
            backup = self._whole(theirs.read(part))
            if not len(primary) and not len(backup):
                continue
            standings = judge(self._side(primary), self._side(backup))
            for copies, standing in zip((primary, backup), standings, strict=True):
                self.counts += np.bincount(standing, minlength=len(Standing))
                losing = np.flatnonzero(standing != Standing.WINS)
                rulings = np.empty(len(losing), dtype=_RULING)
                for name in ("piece", "ordinal", "row"):
                    rulings[name] = copies[name][losing]
                rulings["code"] = standing[losing]
                self.rulings.append(rulings, self._parts(rulings["piece"]))

    def _side(self, copies: Rows) -> Copies:
        dated = self.case.dataset.version is not None
        return Copies(
            identity=copies["identity"],
            content=copies["content"],
            named=copies["named"],
            version=copies["version"] if dated else None,
            versioned=copies["versioned"] if dated else None,
        )

    def blocks(self) -> Iterator[VerdictBlock]:
        """Yield the verdicts in order of slice, ordinal and row."""
        halves = np.frombuffer(bytes(self._ids), dtype=">u8").astype(np.uint64).reshape(-1, 2)
        ranks = np.empty(len(halves), dtype=np.uint64)
        ranks[np.lexsort((halves[:, 1], halves[:, 0]))] = np.arange(len(halves), dtype=np.uint64)
        for part in range(PARTS):
            hearings = self.hearings.read(part)
            failure = hearings["state"] >= Heard.PRIMARY_FAILED
            hearings = hearings[failure | ~self._is_lost(hearings["piece"])]
            if len(hearings):
                yield _block(hearings, self.rulings.read(part), halves, ranks)

    def told(self, digest: str) -> Reconciled:
        """Return what came of it."""
        return Reconciled(
            digest=digest,
            contested=self.contested,
            superseded=int(self.counts[Standing.SUPERSEDED]),
            conflicts=int(self.counts[Standing.CONFLICT]),
            orphans=int(self.counts[Standing.ORPHAN]),
            failed=tuple(sorted(self.failed)),
        )

    def _whole(self, copies: Rows) -> Rows:
        """Return the copies of slices that were read to their end."""
        return copies[~self._is_lost(copies["piece"])]

    def _is_lost(self, numbers: npt.NDArray[np.uint32]) -> Mask:
        return np.frombuffer(self._lost, dtype=np.bool_)[numbers]

    def _parts(self, numbers: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
        """Return the partition of each slice: the first byte of its id."""
        return np.frombuffer(self._ids, dtype=np.uint8)[::16][numbers]


def content_of(digester: Digester, dataset: Dataset, rows: pa.Table) -> Digests:
    """Return the digests by which copies of records are compared."""
    return digester.lines(rows.column(LINE)) if dataset.carried else digester.records(rows)


def _block(
    hearings: Rows,
    rulings: Rows,
    halves: npt.NDArray[np.uint64],
    ranks: npt.NDArray[np.uint64],
) -> VerdictBlock:
    heard, ruled = _batch_keys(hearings, ranks), _batch_keys(rulings, ranks)
    order = np.argsort(heard)
    hearings, heard = hearings[order], heard[order]
    order = np.lexsort((rulings["row"], ruled))
    rulings, ruled = rulings[order], ruled[order]
    counts = np.searchsorted(ruled, heard, side="right") - np.searchsorted(ruled, heard)
    return VerdictBlock(
        piece=halves[hearings["piece"]],
        ordinal=hearings["ordinal"],
        rows=hearings["rows"],
        state=hearings["state"],
        verdicts=counts.astype(np.uint64),
        row=rulings["row"],
        code=rulings["code"],
    )


def _batch_keys(rows: Rows, ranks: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return one number per row that orders batches by slice id and ordinal."""
    keys: npt.NDArray[np.uint64] = (ranks[rows["piece"]] << _ORDINAL_BITS) | rows["ordinal"]
    return keys


def _named(columns: list[pa.ChunkedArray[Any]]) -> Mask:
    """Say where no part of the identity is null."""
    named = [np.asarray(column.is_valid().to_numpy(), dtype=np.bool_) for column in columns]
    every: Mask = np.logical_and.reduce(named)
    return every
