"""Ports of what engines set aside on disk: spilled rows of numbers, the directory, verdicts.

Only keyed digests, numbers and ids of slices ever pass here: no record, no identifier in the
clear. Spilled rows are gone when their context ends, whatever ended it. A directory and a set of
verdicts are written whole or not at all; equal contents give equal bytes and one digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from repatria.dataset import ColumnType
from repatria.names import RegionName

PARTS: Final = 256
"""Every spill has as many partitions: rows are placed by one byte of a digest."""

Rows = npt.NDArray[np.void]
"""Rows of numbers: a structured array."""


class Spill(Protocol):
    """Rows of one structure, set aside by partition."""

    def append(self, rows: Rows, parts: npt.NDArray[np.uint8]) -> None:
        """Set rows aside, each in its partition, after those that are there."""
        ...

    def read(self, part: int) -> Rows:
        """Return all rows of one partition, in order of arrival. It may be written after."""
        ...


class Spills(Protocol):
    """A place for spills."""

    def open(self, row: np.dtype[Any]) -> AbstractContextManager[Spill]:
        """Open an empty spill for rows of that structure; its rows vanish when it closes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryHead:
    """What a directory says of itself: region codes are indices into ``regions``."""

    regions: Sequence[RegionName]
    user: ColumnType
    check: str  #: Of the digester whose key its users are digested with.


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryBlock:
    """Users in order of their digests, and each one's code (see ``Regions.lookup``)."""

    high: npt.NDArray[np.uint64] = field(repr=False)
    low: npt.NDArray[np.uint64] = field(repr=False)
    codes: npt.NDArray[np.int16] = field(repr=False)


class DirectoryShelf(Protocol):
    """Where a directory is kept."""

    def write(self, head: DirectoryHead, blocks: Iterable[DirectoryBlock]) -> str:
        """Keep the directory that the blocks are in order; return its digest (64 digits)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictBlock:
    """Batches in order of (slice, ordinal), and the verdicts on their rows that do not win.

    ``piece`` has shape (batches, 2): the halves of the slice's id. ``rows`` counts decoded rows,
    ``verdicts`` how many of ``row`` and ``code`` belong to the batch; those are in order too.
    ``state`` is a ``Heard``.
    """

    piece: npt.NDArray[np.uint64]
    ordinal: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.uint32]
    state: npt.NDArray[np.uint8]
    verdicts: npt.NDArray[np.uint64]
    row: npt.NDArray[np.uint32] = field(repr=False)
    code: npt.NDArray[np.uint8] = field(repr=False)


class Heard:
    """How a slice was heard by reconciliation. One that failed has a single entry, at ordinal 0."""

    PRIMARY: Final = 0
    BACKUP: Final = 1
    PRIMARY_FAILED: Final = 2
    BACKUP_FAILED: Final = 3


class VerdictShelf(Protocol):
    """Where verdicts are kept."""

    def write(self, blocks: Iterable[VerdictBlock]) -> str:
        """Keep the verdicts that the blocks are in order; return their digest (64 digits)."""
        ...
