"""A bucket in memory: the reference of ``Bucket``, which ships, and which tests use.

It behaves as S3 does where it matters: conditions compare ETags, a listing tells no version, an
old version stays readable by its id, a removed key leaves its versions behind. ``honours`` takes
promises away one by one, so that the engines can be tried against a store that lies.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import pyarrow as pa

from connectors.body_digest import as_sent
from connectors.memory.shelf import Kept, Shelf, md5_hex, sha256_checksum, sha256_hex
from connectors.probing import try_promises
from repatria.errors import Archived, Missing, Occupied, Refused, StaleSlice, Transient
from repatria.names import SiteName
from repatria.ports.bucket import Absent
from repatria.stored import (
    About,
    Candour,
    Checksum,
    Found,
    Honours,
    ObjectVersion,
    Observed,
)

HONEST: Final = Honours(
    create_only=True, replace_only=True, checksums=True, versions=True, listed=True
)
UNVERSIONED: Final = replace(HONEST, versions=False)

KEY_BYTES_MAX: Final = 1024
OWN: Final = Checksum("SHA256", "")
"""Says of what somebody plants that the store keeps the SHA-256 that it has."""

_CANDID: Final = Candour(ranges=True, fresh=True, pages=True, ends=True)
_FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """One call that reached the bucket; ``key`` is the prefix of a listing."""

    operation: str
    key: str = field(repr=False)


class MemoryBucket:
    """A bucket in a dictionary; may be called from several threads.

    ``requests`` is its log, in order. ``plant``, ``remove`` and ``forget`` are what others than
    Repatria do to a bucket; they are not logged. The n-th write happens n seconds after 2026.
    ``candour`` and ``writable`` are what a try of its reads, and of its role, will see.
    """

    def __init__(
        self,
        site: SiteName,
        *,
        honours: Honours = HONEST,
        observed: Observed | None = None,
        page_keys: int = 1000,
    ) -> None:
        self._site = site
        self._honours = honours
        self._observed = observed or Observed(endpoint=f"memory-{site}", location=None)
        self._page_keys = page_keys
        self._lock = threading.RLock()
        self._shelf = Shelf(versioned=bool(honours.versions))
        self._writes = 0
        self._newest: str | None = None
        self.requests: list[Request] = []
        self.candour = replace(_CANDID, versions=bool(honours.versions))
        self.writable: bool | None = True

    @property
    def site(self) -> SiteName:
        return self._site

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        last = None if after is None else after.encode()
        while True:
            page = self._page(prefix, last)
            yield from (one for one in page if not self._hides(one.object))
            if len(page) < self._page_keys:
                return
            last = page[-1].object.key.encode()

    def head(self, key: str, version: str | None = None) -> Found:
        with self._lock:
            self._log("head", key)
            return self._at(key, version).found()

    def tags(self, key: str, version: str | None = None) -> dict[str, str]:
        with self._lock:
            self._log("tags", key)
            return dict(self._at(key, version).about.tags)

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        stop = found.size if stop is None else stop
        assert 0 <= start <= stop <= found.size, "a range lies inside its object"
        with self._lock:
            self._log("read", found.key)
            return self._body(found).slice(start, stop - start)

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._stream(found, chunk_bytes)

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        held = pa.py_buffer(bytes(body))
        checksum = sha256_checksum(held)
        with self._lock:
            self._log("put", key)
            self._check_key(key)
            if self._honours.checksums and about.sha256 != sha256_hex(checksum):
                raise Transient("the body is not what was sent", site=self._site, code="BadDigest")
            self._check_condition(key, replaces)
            return self._add(key, held, about, checksum)

    def read_back(self, found: ObjectVersion, sent: pa.Buffer) -> pa.Buffer:
        return as_sent(self.read(found), sent, self._site)

    def observe(self) -> Observed:
        self._log("observe", "")
        return self._observed

    def probe(self, key: str) -> Honours:
        self._log("probe", key)
        return replace(try_promises(self, key), versions=bool(self._honours.versions))

    def probe_reads(self, prefix: str) -> Candour:
        self._log("probe", prefix)
        return self.candour if next(self.list(prefix), None) is not None else Candour()

    def may_put(self, key: str) -> bool | None:
        self._log("probe", key)
        return self.writable

    def plant(
        self,
        key: str,
        body: bytes,
        about: About | None = None,
        *,
        etag: str | None = None,
        checksum: Checksum | None = OWN,
    ) -> ObjectVersion:
        """Let somebody else write ``key``, whatever stands there.

        ``about.sha256`` is not looked at. An ``etag`` with a dash is one of several parts;
        ``checksum`` is what the store keeps: its SHA-256, or what it is told, or none.
        """
        held = pa.py_buffer(body)
        kept = sha256_checksum(held) if checksum is OWN else checksum
        with self._lock:
            return self._add(key, held, about or About(sha256=""), kept, etag)

    def remove(self, key: str) -> None:
        """Let somebody else delete ``key``: in a versioned bucket its versions stay readable."""
        with self._lock:
            if not self._honours.versions:
                self._shelf.forget(key)
                return
            self._add(key, None, About(sha256=""), None)

    def forget(self, key: str) -> None:
        """Let somebody else delete ``key`` with all of its versions."""
        with self._lock:
            self._shelf.forget(key)

    def count(self, operation: str) -> int:
        """Return how many requests of that operation reached the bucket."""
        with self._lock:
            return sum(request.operation == operation for request in self.requests)

    def _page(self, prefix: str, last: bytes | None) -> Sequence[Found]:
        with self._lock:
            self._log("list", prefix)
            kept = islice(self._shelf.after(prefix, last), self._page_keys)
            return [one.listed() for one in kept]

    @contextmanager
    def _stream(self, found: ObjectVersion, chunk_bytes: int) -> Iterator[Iterator[bytes]]:
        with self._lock:
            self._log("stream", found.key)
            body = self._body(found)
        starts = range(0, body.size, chunk_bytes)
        yield (body.slice(at, min(chunk_bytes, body.size - at)).to_pybytes() for at in starts)

    def _hides(self, one: ObjectVersion) -> bool:
        """Whether a listing leaves an object out: one that was put just now."""
        return self._honours.listed is False and one.key == self._newest

    def _at(self, key: str, version: str | None) -> Kept:
        newest = self._shelf.newest(key)
        if version is None:
            if newest is None:
                raise Missing("there is no such object", site=self._site)
            return newest
        kept = self._shelf.at_version(key, version)
        if kept is None:
            raise StaleSlice("there is no such version", site=self._site)
        return kept

    def _body(self, found: ObjectVersion) -> pa.Buffer:
        kept = self._at(found.key, found.version)
        if (kept.object.etag, kept.object.size) != (found.etag, found.size):
            raise StaleSlice("the object is not that version", site=self._site)
        if kept.archived:
            raise Archived("the object lies in an archive", site=self._site)
        assert kept.body is not None, "a mark of removal is never found"
        return kept.body

    def _check_key(self, key: str) -> None:
        if not 0 < len(key.encode()) <= KEY_BYTES_MAX:
            raise Refused("the key is longer than the store takes", site=self._site)

    def _check_condition(self, key: str, replaces: ObjectVersion | Absent) -> None:
        newest = self._shelf.newest(key)
        if isinstance(replaces, Absent):
            if self._honours.create_only and newest is not None:
                raise Occupied("something stands there already", site=self._site)
        elif self._honours.replace_only and (newest is None or newest.object.etag != replaces.etag):
            raise Occupied("something else stands there", site=self._site)

    def _add(
        self,
        key: str,
        body: pa.Buffer | None,
        about: About,
        checksum: Checksum | None,
        etag: str | None = None,
    ) -> ObjectVersion:
        self._writes += 1
        self._newest = key
        content = pa.py_buffer(b"") if body is None else body
        version = f"v{self._writes:08d}" if self._honours.versions else None
        written = ObjectVersion(key, content.size, etag or md5_hex(content), version)
        at = _FIRST + timedelta(seconds=self._writes)
        self._shelf.add(Kept(written, body, about, at, checksum))
        return written

    def _log(self, operation: str, key: str) -> None:
        with self._lock:
            self.requests.append(Request(operation, key))
