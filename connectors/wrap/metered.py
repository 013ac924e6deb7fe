"""A bucket that counts what passes: calls, bytes, failures and time, for each operation.

A listing is counted as one call, and its time is what the store took, not what its reader did
between two entries; the same holds for a stream. The meter is shared by all threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, TypeVar

import pyarrow as pa

from repatria.errors import RepatriaError
from repatria.names import SiteName
from repatria.ports.bucket import Absent, Bucket
from repatria.ports.rules import Clock
from repatria.stored import About, Candour, Found, Honours, ObjectVersion, Observed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What passed through one operation. ``bytes_in`` came from the store."""

    calls: int = 0
    errors: int = 0
    entries: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0

    def plus(self, other: Count) -> Count:
        """Add two counts."""
        return Count(
            calls=self.calls + other.calls,
            errors=self.errors + other.errors,
            entries=self.entries + other.entries,
            bytes_in=self.bytes_in + other.bytes_in,
            bytes_out=self.bytes_out + other.bytes_out,
            seconds=self.seconds + other.seconds,
        )


class Meter:
    """Counts by operation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, Count] = {}

    def add(self, operation: str, more: Count) -> None:
        """Count something."""
        with self._lock:
            self._counts[operation] = self._counts.get(operation, Count()).plus(more)

    def counts(self) -> Mapping[str, Count]:
        """Return what was counted so far, by operation."""
        with self._lock:
            return dict(self._counts)

    def taken(self) -> Mapping[str, Count]:
        """Return what was counted since the last time, and count anew."""
        with self._lock:
            counts, self._counts = self._counts, {}
            return counts

    def total(self) -> Count:
        """Return what was counted so far, of all operations together."""
        total = Count()
        for one in self.counts().values():
            total = total.plus(one)
        return total

    def timed(self, operation: str, call: Callable[[], T], begin: Count) -> T:
        """Make a call, and count ``begin``, its time, and its failure if it fails."""
        begun_s = self._clock.monotonic()
        errors = 1
        try:
            result = call()
            errors = 0
        finally:
            seconds = self._clock.monotonic() - begun_s
            self.add(operation, replace(begin, errors=errors, seconds=seconds))
        return result

    def each(
        self, operation: str, items: Iterator[T], weigh: Callable[[T], Count], flush: int
    ) -> Iterator[T]:
        """Yield the items; count them ``flush`` at a time, with the time that they took to come."""
        held = Count()
        try:
            for number in count(1):
                begun_s = self._clock.monotonic()
                item = next(items, _END)
                held = held.plus(Count(seconds=self._clock.monotonic() - begun_s))
                if isinstance(item, _End):
                    return
                held = held.plus(weigh(item))
                if number % flush == 0:
                    self.add(operation, held)
                    held = Count()
                yield item
        except RepatriaError:
            held = held.plus(Count(errors=1))
            raise
        finally:
            self.add(operation, held)


class _End:
    """Stands for the end of an iterator."""


_END: Final = _End()


class Metered:
    """Same port in, same port out."""

    def __init__(self, inner: Bucket, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    @property
    def site(self) -> SiteName:
        return self._inner.site

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        self._meter.add("list", Count(calls=1))
        found = self._inner.list(prefix, after)
        yield from self._meter.each("list", found, lambda _entry: Count(entries=1), 1000)

    def head(self, key: str, version: str | None = None) -> Found:
        return self._meter.timed("head", lambda: self._inner.head(key, version), _CALL)

    def tags(self, key: str, version: str | None = None) -> dict[str, str]:
        return self._meter.timed("tags", lambda: self._inner.tags(key, version), _CALL)

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        content = self._meter.timed("read", lambda: self._inner.read(found, start, stop), _CALL)
        self._meter.add("read", Count(bytes_in=content.size))
        return content

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._stream(found, chunk_bytes)

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        sent = Count(calls=1, bytes_out=len(body))
        return self._meter.timed("put", lambda: self._inner.put(key, body, about, replaces), sent)

    def read_back(self, found: ObjectVersion, sent: pa.Buffer) -> pa.Buffer:
        content = self._meter.timed("read", lambda: self._inner.read_back(found, sent), _CALL)
        self._meter.add("read", Count(bytes_in=content.size))
        return content

    def observe(self) -> Observed:
        return self._meter.timed("observe", self._inner.observe, _CALL)

    def probe(self, key: str) -> Honours:
        return self._meter.timed("probe", lambda: self._inner.probe(key), _CALL)

    def probe_reads(self, prefix: str) -> Candour:
        return self._meter.timed("probe", lambda: self._inner.probe_reads(prefix), _CALL)

    def may_put(self, key: str) -> bool | None:
        return self._meter.timed("probe", lambda: self._inner.may_put(key), _CALL)

    @contextmanager
    def _stream(self, found: ObjectVersion, chunk_bytes: int) -> Iterator[Iterator[bytes]]:
        with ExitStack() as stack:
            opening = self._inner.stream(found, chunk_bytes)
            chunks = self._meter.timed("stream", lambda: stack.enter_context(opening), _CALL)
            yield self._meter.each("stream", chunks, lambda one: Count(bytes_in=len(one)), 1)


_CALL: Final = Count(calls=1)
