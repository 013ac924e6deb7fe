"""A bucket that is read as it is and never written: what would be put is held to be read back.

A put is judged by what a look can tell: it is refused where the real one would be. Its body is
held only until it is read back whole, once; then it is forgotten, so that a rehearsal of a
billion records holds no more than what is under way. Nothing here can reach a mutating call: the
inner bucket is known as a reader only, and its client refuses the rest (law 8).
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

import pyarrow as pa

from connectors.body_digest import as_sent
from repatria.errors import Missing, Occupied, Refused, Transient
from repatria.limits import MIB
from repatria.names import SiteName
from repatria.ports.bucket import Absent, Observes, ProbesReads, Reads
from repatria.stored import About, Candour, Checksum, Found, Honours, ObjectVersion, Observed

HELD_BYTES_MAX: Final = 2048 * MIB


class _Looks(Reads, Observes, ProbesReads, Protocol):
    """What a rehearsal may do to a real bucket."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A body that waits to be read back."""

    object: ObjectVersion
    body: pa.Buffer = field(repr=False)
    about: About = field(repr=False)

    def found(self) -> Found:
        """Tell of it what a look would tell."""
        sha256 = base64.b64encode(bytes.fromhex(self.about.sha256)).decode()
        return Found(
            object=self.object,
            storage_class=self.about.storage_class,
            checksum=Checksum("SHA256", sha256),
            headers=dict(self.about.headers),
            metadata=dict(self.about.metadata),
        )


class Rehearsed:
    """Same port in, same port out; may be called from several threads."""

    def __init__(self, inner: _Looks, held_bytes_max: int = HELD_BYTES_MAX) -> None:
        self._inner = inner
        self._held_bytes_max = held_bytes_max
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._held_bytes = 0

    @property
    def site(self) -> SiteName:
        return self._inner.site

    @property
    def held_bytes(self) -> int:
        """How many bytes wait to be read back."""
        with self._lock:
            return self._held_bytes

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        with self._lock:
            held = {key: one.found() for key, one in self._held.items()}
        ours = sorted(
            (held[key] for key in held if key.startswith(prefix) and _past(key, after)), key=_order
        )
        theirs = (one for one in self._inner.list(prefix, after) if one.object.key not in held)
        return heapq.merge(theirs, ours, key=_order)

    def head(self, key: str, version: str | None = None) -> Found:
        held = self._at(key)
        return self._inner.head(key, version) if held is None else held.found()

    def tags(self, key: str, version: str | None = None) -> dict[str, str]:
        held = self._at(key)
        return self._inner.tags(key, version) if held is None else dict(held.about.tags)

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        held = self._at(found.key)
        if held is None or held.object != found:
            return self._inner.read(found, start, stop)
        stop = found.size if stop is None else stop
        if (start, stop) == (0, found.size):
            self._release(held)
        return held.body.slice(start, stop - start)

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        held = self._at(found.key)
        if held is None or held.object != found:
            return self._inner.stream(found, chunk_bytes)
        return self._stream(held, chunk_bytes)

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        content = pa.py_buffer(body)
        if hashlib.sha256(content).hexdigest() != about.sha256:
            raise Transient("the body is not what was sent", site=self.site, code="BadDigest")
        standing = self._standing(key)
        with self._lock:
            held = self._held.get(key)
            self._check_condition(standing if held is None else held.object, replaces)
            made_up = ObjectVersion(key, content.size, f"rehearsed-{about.sha256[:32]}")
            self._hold(_Held(made_up, content, about))
        return made_up

    def read_back(self, found: ObjectVersion, sent: pa.Buffer) -> pa.Buffer:
        return as_sent(self.read(found), sent, self.site)

    def observe(self) -> Observed:
        return self._inner.observe()

    def probe(self, key: str) -> Honours:
        """Try nothing, for trying is writing: nothing was observed."""
        return Honours()

    def probe_reads(self, prefix: str) -> Candour:
        return self._inner.probe_reads(prefix)

    def may_put(self, key: str) -> bool | None:
        """Ask nothing, for only a client that could write may ask."""
        return None

    def _at(self, key: str) -> _Held | None:
        with self._lock:
            return self._held.get(key)

    def _standing(self, key: str) -> ObjectVersion | None:
        try:
            return self._inner.head(key).object
        except Missing:
            return None

    def _check_condition(
        self, standing: ObjectVersion | None, replaces: ObjectVersion | Absent
    ) -> None:
        expected = None if isinstance(replaces, Absent) else replaces.etag
        if (None if standing is None else standing.etag) != expected:
            raise Occupied("something else stands there than was expected", site=self.site)

    def _hold(self, held: _Held) -> None:
        """Hold a body; the lock is held by the caller."""
        former = self._held.get(held.object.key)
        more = held.object.size - (0 if former is None else former.object.size)
        if self._held_bytes + more > self._held_bytes_max:
            raise Refused(
                "a rehearsal holds too much that was not read back",
                site=self.site,
                held_bytes=self._held_bytes,
            )
        self._held[held.object.key] = held
        self._held_bytes += more

    def _release(self, held: _Held) -> None:
        with self._lock:
            if self._held.get(held.object.key) is held:
                del self._held[held.object.key]
                self._held_bytes -= held.object.size

    @contextmanager
    def _stream(self, held: _Held, chunk_bytes: int) -> Iterator[Iterator[bytes]]:
        body = held.body
        starts = range(0, body.size, chunk_bytes)
        yield (body.slice(at, min(chunk_bytes, body.size - at)).to_pybytes() for at in starts)
        self._release(held)


def _order(found: Found) -> bytes:
    return found.object.key.encode()


def _past(key: str, after: str | None) -> bool:
    return after is None or key.encode() > after.encode()
