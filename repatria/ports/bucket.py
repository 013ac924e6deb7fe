"""Ports of a bucket: what an object store can do, one capability each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final, Protocol

import pyarrow as pa

from repatria.names import SiteName
from repatria.stored import About, Candour, Found, Honours, ObjectVersion, Observed


class Absent:
    """Stands for "nothing is there yet" in a conditional put."""


ABSENT: Final = Absent()


class Reads(Protocol):
    """A bucket that can be listed and read. Keys here are whole keys of the bucket."""

    @property
    def site(self) -> SiteName: ...

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        """Yield every object whose key starts with ``prefix``, in order of the key's UTF-8 bytes.

        With ``after`` only those past that key, so that a broken listing can be carried on.

        Streams; holds one page. An incomplete, repeated, unordered or unreadable page is never
        taken for the end: it raises ``Transient`` (or ``StoreRefused`` if it stays so).
        """
        ...

    def head(self, key: str, version: str | None = None) -> Found:
        """Look at one object, with checksum, headers and metadata.

        Raises ``Missing``, or ``StaleSlice`` if there is no such version of it.
        """
        ...

    def tags(self, key: str, version: str | None = None) -> dict[str, str]:
        """Return the object's tags; empty where the store keeps none."""
        ...

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        """Return bytes ``start`` to ``stop`` (default: the end) of exactly that version.

        The length is checked against what was asked for. Raises ``StaleSlice`` if the object is
        no longer that version, ``Missing``, ``Archived``, ``Transient`` for a short or odd body.
        """
        ...

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        """Read the whole of that version in sequence, in chunks; the same errors as ``read``.

        Closing early is allowed. A body that ends early raises ``Transient`` from the iterator.
        """
        ...


class Writes(Protocol):
    """A bucket that can be written, only ever conditionally. It cannot delete."""

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        """Store ``body`` whole, if exactly ``replaces`` stands at ``key`` now.

        Raises ``Occupied`` if anything else stands there, or nothing where ``replaces`` should:
        *also after our own put whose answer was lost*, so the caller must look. The store is told
        the SHA-256 and must check it.
        """
        ...

    def read_back(self, found: ObjectVersion, sent: pa.Buffer) -> pa.Buffer:
        """Return the whole body of that version, as the store gave it, if it is ``sent``.

        Compared byte by byte, so that no digest of it is needed. The same errors as ``read``, and
        ``Garbled`` where it is another body.
        """
        ...


class Observes(Protocol):
    """A bucket that says where it really is."""

    def observe(self) -> Observed:
        """Ask the store itself; never answer from configuration."""
        ...


class ProbesReads(Protocol):
    """A bucket whose promises to readers can be tried out, without a write."""

    def probe_reads(self, prefix: str) -> Candour:
        """Try each promise on what stands under ``prefix``; where nothing does, none is seen."""
        ...


class Probes(Protocol):
    """A bucket whose promises can be tried out, by writing under a reserved key."""

    def probe(self, key: str) -> Honours:
        """Try each promise with small objects under ``key``; leave nothing that matters."""
        ...

    def may_put(self, key: str) -> bool | None:
        """Say whether this role could write ``key``; None where that cannot be told.

        Asked in such a way that nothing is written, whatever the store makes of it.
        """
        ...


class Bucket(Reads, Writes, Observes, ProbesReads, Probes, Protocol):
    """Everything at once: what a connector implements. Engines are handed less."""
