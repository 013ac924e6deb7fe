"""Builds the directory user → region from the dataset that knows where users live.

Read at both sites, leave out what does not count, digest, set aside by partition; then sort each
partition and give each user one code:

* rows of one user that agree give their code;
* rows that do not agree give that of the newest version, if all have one and the newest agree;
* anything else is "two regions", which waits for a person.

What counts is what a move goes by, so that all records of a user end in one region: rows that
win, and rows in conflict, of which either copy may be right. A superseded copy does not move,
and an orphan may be of somebody deleted: neither has a say.

A user whose country is not known is left out, and so is unknown to whoever asks. Partitions
are by the first byte of the digest, so that they follow one another in order: memory holds one
of 256 at a time. The same rows give the same bytes, in whatever order they arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from repatria.atlas import ELSEWHERE, UNKNOWN
from repatria.contest import Standing
from repatria.dataset import Dataset
from repatria.digest import Digester
from repatria.errors import Archived, Spoilt
from repatria.names import RegionName, SiteName, SliceId
from repatria.ports.records import Source
from repatria.ports.rules import Contest
from repatria.ports.spill import (
    PARTS,
    DirectoryBlock,
    DirectoryHead,
    DirectoryShelf,
    Rows,
    Spill,
    Spills,
)
from repatria.residency import declared
from repatria.slice import Slice
from repatria.versions import Versions, versions

TWO_REGIONS: Final = -3
_COUNTS: Final = (Standing.WINS, Standing.CONFLICT)

_ENTRY: Final = np.dtype(
    [("high", "<u8"), ("low", "<u8"), ("version", "<i8"), ("versioned", "?"), ("code", "<i2")]
)
_FIRST_BYTE: Final = np.uint64(56)


@dataclass(frozen=True, slots=True)
class Built:
    """A directory that stands: its digest, how many users, and the slices that were not read."""

    digest: str
    users: int
    rows: int
    failed: tuple[tuple[SliceId, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryBuilder:
    """Builds the directory of ``dataset``, whose rows ``route`` gives codes.

    ``sources`` has the source of every site that a slice may be of, ``contest`` the verdicts on
    their rows. ``route`` returns one code per row: an index into ``regions``, -1 elsewhere, or
    any lower code for what is not known.
    """

    dataset: Dataset
    sources: Mapping[SiteName, Source]
    contest: Contest
    digester: Digester
    regions: tuple[RegionName, ...]
    route: Callable[[pa.Table], npt.NDArray[np.int32]]
    spills: Spills
    shelf: DirectoryShelf

    def build(self, pieces: Iterable[Slice]) -> Built:
        """Read every slice, of whichever site, once and keep the directory.

        A slice that is spoilt or archived, or was when it was reconciled, is named in the answer;
        its users are unknown unless another slice tells of them. ``Transient`` and the rest pass
        through, and keep nothing.
        """
        with self.spills.open(_ENTRY) as spill:
            told = _Told(spill)
            for piece in pieces:
                try:
                    self._read(piece, told)
                except (Spoilt, Archived) as error:
                    told.failed.append((piece.id, str(error)))
            head = DirectoryHead(
                regions=self.regions, user=self.dataset.user.type, check=self.digester.check
            )
            digest = self.shelf.write(head, told.blocks())
        return Built(digest, told.users, told.rows, tuple(sorted(told.failed)))

    def _read(self, piece: Slice, told: _Told) -> None:
        for batch in self.sources[piece.site].batches(self.dataset, piece, None):
            standings = self.contest.verdicts(piece.id, batch.ordinal, batch.rows.num_rows)
            users = declared(batch.rows, self.dataset.user)
            digests = self.digester.values([users], [self.dataset.user.type])
            codes = np.maximum(self.route(batch.rows), UNKNOWN)
            assert codes.max(initial=ELSEWHERE) < len(self.regions), "a code is a region's index"
            stamps = versions(batch.rows, self.dataset.version)
            entries = np.empty(len(digests), dtype=_ENTRY)
            entries["high"], entries["low"] = digests.high, digests.low
            entries["code"] = codes
            _stamp(entries, stamps)
            told.add(entries[users.is_valid().to_numpy() & np.isin(standings, _COUNTS)])


@dataclass(slots=True)
class _Told:
    """What was read so far."""

    spill: Spill
    users: int = 0
    rows: int = 0
    failed: list[tuple[SliceId, str]] = field(default_factory=list)

    def add(self, entries: Rows) -> None:
        self.rows += len(entries)
        self.spill.append(entries, (entries["high"] >> _FIRST_BYTE).astype(np.uint8))

    def blocks(self) -> Iterator[DirectoryBlock]:
        for part in range(PARTS):
            block = settle(self.spill.read(part))
            self.users += len(block.codes)
            yield block


def _stamp(entries: Rows, stamps: Versions | None) -> None:
    entries["version"] = 0 if stamps is None else stamps.numbers
    entries["versioned"] = False if stamps is None else stamps.valid


def settle(entries: Rows) -> DirectoryBlock:
    """Return each user of some rows once, in order, with one code; leave the unknown out."""
    order = np.lexsort((entries["version"], entries["low"], entries["high"]))
    rows = entries[order]
    fresh = np.ones(len(rows), dtype=np.bool_)
    fresh[1:] = (rows["high"][1:] != rows["high"][:-1]) | (rows["low"][1:] != rows["low"][:-1])
    starts = np.flatnonzero(fresh)
    codes = _agreed(rows, starts)
    known = codes != UNKNOWN
    users = rows[starts[known]]
    return DirectoryBlock(high=users["high"], low=users["low"], codes=codes[known])


def _agreed(rows: Rows, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Return the code of each user whose rows begin at ``starts``, by ascending version."""
    code, version = rows["code"], rows["version"]
    if not len(starts):
        return np.empty(0, dtype=np.int16)
    counts = np.diff(starts, append=len(rows))
    lowest, highest = np.minimum.reduceat(code, starts), np.maximum.reduceat(code, starts)
    stamped = np.logical_and.reduceat(rows["versioned"], starts)
    newest = version == np.repeat(version[starts + counts - 1], counts)
    none = np.iinfo(np.int16)
    newest_lowest = np.minimum.reduceat(np.where(newest, code, none.max), starts)
    newest_highest = np.maximum.reduceat(np.where(newest, code, none.min), starts)
    decided = stamped & (newest_lowest == newest_highest)
    either = np.where(decided, newest_lowest, TWO_REGIONS)
    return np.where(lowest == highest, lowest, either).astype(np.int16)
