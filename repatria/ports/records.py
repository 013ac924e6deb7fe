"""Ports of records: where they leave from, and where they arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from repatria.batch import Batch
from repatria.dataset import Dataset
from repatria.names import DatasetName, Ordinal, RegionName, SiteName
from repatria.ports.bucket import Absent
from repatria.slice import Slice
from repatria.stored import Found, ObjectVersion


class Source(Protocol):
    """Where records leave from. Never written to."""

    @property
    def site(self) -> SiteName: ...

    def objects(self, dataset: Dataset) -> Iterator[Found]:
        """Yield the dataset's objects in key order, streaming."""
        ...

    def relative(self, dataset: Dataset, found: ObjectVersion) -> str:
        """Return the object's key without the store's and the dataset's prefixes."""
        ...

    def look(self, found: ObjectVersion) -> Found:
        """Look at one object at its version: checksum, headers, metadata, tags."""
        ...

    def cut(self, dataset: Dataset, found: Found) -> tuple[Slice, ...]:
        """Cut an object into slices: one, or several where it is large and can be cut.

        Deterministic for the same bytes and limits. Reads a footer at most.
        """
        ...

    def batches(self, dataset: Dataset, piece: Slice, after: Ordinal | None) -> Iterator[Batch]:
        """Decode ``piece`` at its frozen version, batch by batch, past ordinal ``after``.

        Batches of a piece and their boundaries depend on its bytes and the limits alone. Raises
        ``StaleSlice``, ``Missing``, ``Archived``, ``BadObject``, or ``Transient``.
        """
        ...


class Witness(Protocol):
    """Somebody who must know which slice is being decoded, should its decoder never return."""

    @property
    def passed_over(self) -> Sequence[str]:
        """The labels of slices that were refused as poison."""
        ...

    def begins(self, piece: Slice) -> None:
        """Hear it before a decoder sees a byte of ``piece``. Raises ``Poison`` if none may."""
        ...

    def ends(self, piece: Slice) -> None:
        """Hear that the decoder of ``piece`` is done with it, however it ended."""
        ...


class Nobody:
    """No witness."""

    passed_over: Sequence[str] = ()

    def begins(self, piece: Slice) -> None:
        """Hear nothing."""

    def ends(self, piece: Slice) -> None:
        """Hear nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """The records of one batch for one region, about to arrive at one site.

    ``like`` is the source object as a look at it told: its headers, metadata, tags and storage
    class arrive with the parcel. None keeps none of them.
    """

    dataset: Dataset
    region: RegionName
    site: SiteName
    piece: Slice
    ordinal: Ordinal
    rows: pa.Table = field(repr=False)
    preamble: bytes = field(default=b"", repr=False)
    like: Found | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A parcel as it now stands in the store. ``body``: its bytes, held until it is read back."""

    object: ObjectVersion
    sha256: str
    body: pa.Buffer = field(repr=False, compare=False)


class Target(Protocol):
    """Where records arrive."""

    @property
    def site(self) -> SiteName: ...

    def key(self, parcel: Parcel) -> str:
        """Return the whole key at which the parcel arrives (docs/formats/target.md)."""
        ...

    def put(self, parcel: Parcel, replaces: ObjectVersion | Absent) -> Arrived:
        """Encode and store a parcel, if exactly ``replaces`` stands at its key now.

        Equal parcels encode to equal bytes. If an equal parcel of ours already stands there (a
        put whose answer was lost, or whose receipt was), that one is returned and nothing is
        written. Raises ``LeftOver`` if another attempt of ours at the same batch stands there:
        only who knows the receipts can tell whether it may be replaced. Raises
        ``ForeignObject`` if anything else does.
        """
        ...

    def read(self, dataset: Dataset, arrived: ObjectVersion, sha256: str) -> pa.Table:
        """Read the stored bytes back and decode them, page checksums on.

        Typed rows as they were written; carried rows as a table with ``__line`` alone.
        Raises ``ReadBackMismatch`` if the bytes are not those of ``sha256``.
        """
        ...

    def read_back(self, dataset: Dataset, arrived: Arrived) -> pa.Table:
        """Read what just arrived, as ``read`` does; raises the same.

        The stored bytes are compared with those that were sent, which makes their SHA-256 equal
        without another pass over them; and it is the stored ones that are decoded.
        """
        ...

    def objects(self, dataset: DatasetName, region: RegionName) -> Iterator[Found]:
        """Yield what stands under the region's prefix, manifest and quarantine excepted."""
        ...

    def keep(self, parcel: Parcel, name: str, replaces: ObjectVersion | Absent) -> Arrived:
        """Keep quarantined records in the enclave, beside the parcels; no application reads them.

        ``name`` tells batches and reasons apart. Carried lines are kept as they are. Looks and
        raises as ``put`` does.
        """
        ...


class Manifests(Protocol):
    """Where one site keeps the manifests that applications trust."""

    @property
    def site(self) -> SiteName: ...

    @property
    def ledger(self) -> str:
        """The id of the ledger whose receipts these manifests list."""
        ...

    def held(self, dataset: DatasetName, region: RegionName) -> tuple[bytes, ObjectVersion] | None:
        """Return the manifest that stands there now, or None."""
        ...

    def publish(
        self,
        dataset: DatasetName,
        region: RegionName,
        body: bytes,
        replaces: ObjectVersion | Absent,
    ) -> ObjectVersion:
        """Replace exactly ``replaces``. Raises ``Occupied`` if another stands there."""
        ...
