"""Ports of what others decide: the gate, approvals, tombstones, verdicts, keys, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from repatria.dataset import Dataset
from repatria.names import DatasetName, Ordinal, SliceId
from repatria.site import Region, Site
from repatria.stored import Observed

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A parcel that asks to pass: what, how much, from where, to where, and what was seen there."""

    dataset: Dataset
    region: Region
    rows: int
    origin: Site
    destination: Site
    observed: Observed


class Gate(Protocol):
    """The policy decision that every parcel passes; deny unless permitted."""

    def refusal(self, passage: Passage) -> str | None:
        """Return why the parcel may not pass, or None if it may."""
        ...


class Approvals(Protocol):
    """Who approved what, bound to a digest."""

    def approvers(self, digest: str) -> frozenset[str]:
        """Return the names whose approval of ``digest`` stands now."""
        ...


class Tombstones(Protocol):
    """Marks that keep erased users from coming back."""

    @property
    def sequence(self) -> int:
        """The number of the newest tombstone that ``erased`` knows of."""
        ...

    def erased(self, users: pa.Array[Any]) -> Mask:
        """Say for each user (declared type of the user column) whether they are erased."""
        ...


class Regions(Protocol):
    """The directory: where each user belongs."""

    @property
    def digest(self) -> str:
        """The digest of the directory: another one may answer otherwise."""
        ...

    def lookup(self, users: pa.Array[Any]) -> npt.NDArray[np.int32]:
        """Return a region's index in the atlas for each user, or a negative code.

        ``-1`` elsewhere (stays), ``-2`` unknown user, ``-3`` two regions.
        """
        ...


class Contest(Protocol):
    """How primary and backup were reconciled, record by record."""

    def verdicts(self, piece: SliceId, ordinal: Ordinal, rows: int) -> npt.NDArray[np.uint8]:
        """Return a code of ``repatria.contest.Standing`` for each decoded row of a batch."""
        ...


class Keys(Protocol):
    """Secret keys, by purpose. They are never in the ledger."""

    def key(self, purpose: str) -> bytes:
        """Return 32 bytes, always the same for the same purpose."""
        ...


class Clock(Protocol):
    """Time as a value. Leases use ``monotonic`` only."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        ...

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Progresses(Protocol):
    """Somebody who is told how far work has come. Must return quickly and never raise."""

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None: ...

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None: ...
