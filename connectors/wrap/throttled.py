"""A bucket that is asked no faster than agreed, in requests and in bytes, by all threads together.

A token bucket that may go into debt: who takes more than there is waits until it is paid back,
so that one large body passes whole and the rate holds over time. A listing counts as one request
for each thousand entries, a body as its bytes in either direction. Where a store asks for fewer
requests, whatever was agreed, it is asked more slowly for a while (``easing``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final

import pyarrow as pa

from connectors.wrap.easing import Easing
from repatria.names import SiteName
from repatria.ports.bucket import Absent, Bucket
from repatria.ports.rules import Clock
from repatria.stored import About, Candour, Found, Honours, ObjectVersion, Observed

PAGE_KEYS: Final = 1000
PROBE_REQUESTS: Final = 10


class Rate:
    """At most ``per_s`` tokens a second, after a first burst of ``burst_s`` seconds' worth."""

    def __init__(self, per_s: float | None, clock: Clock, burst_s: float = 1.0) -> None:
        assert per_s is None or per_s > 0, "a rate lets something through"
        self._per_s = per_s
        self._clock = clock
        self._most = (per_s or 0.0) * burst_s
        self._held = self._most
        self._at_s = clock.monotonic()
        self._lock = threading.Lock()

    def take(self, tokens: float) -> None:
        """Take tokens, and wait until the debt that this leaves is paid back."""
        if self._per_s is None or tokens <= 0:
            return
        with self._lock:
            now_s = self._clock.monotonic()
            self._held = min(self._most, self._held + (now_s - self._at_s) * self._per_s)
            self._at_s = now_s
            self._held -= tokens
            debt = -self._held
        if debt > 0:
            self._clock.sleep(debt / self._per_s)


class Throttled:
    """Same port in, same port out. A rate of None is no limit."""

    def __init__(
        self,
        inner: Bucket,
        *,
        requests_per_s: float | None,
        bytes_per_s: float | None,
        clock: Clock,
    ) -> None:
        self._inner = inner
        self._requests = Rate(requests_per_s, clock)
        self._bytes = Rate(bytes_per_s, clock)
        self._easing = Easing(clock)

    @property
    def site(self) -> SiteName:
        return self._inner.site

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        self._ask()
        entries = enumerate(self._inner.list(prefix, after), start=1)
        while True:
            with self._easing.heeding():
                number, found = next(entries, (0, None))
            if found is None:
                return
            yield found
            if number % PAGE_KEYS == 0:
                self._ask()

    def head(self, key: str, version: str | None = None) -> Found:
        self._ask()
        with self._easing.heeding():
            return self._inner.head(key, version)

    def tags(self, key: str, version: str | None = None) -> dict[str, str]:
        self._ask()
        with self._easing.heeding():
            return self._inner.tags(key, version)

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        self._ask()
        self._bytes.take((found.size if stop is None else stop) - start)
        with self._easing.heeding():
            return self._inner.read(found, start, stop)

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._stream(found, chunk_bytes)

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        self._ask()
        self._bytes.take(len(body))
        with self._easing.heeding():
            return self._inner.put(key, body, about, replaces)

    def read_back(self, found: ObjectVersion, sent: pa.Buffer) -> pa.Buffer:
        self._ask()
        self._bytes.take(found.size)
        with self._easing.heeding():
            return self._inner.read_back(found, sent)

    def observe(self) -> Observed:
        self._ask()
        with self._easing.heeding():
            return self._inner.observe()

    def probe(self, key: str) -> Honours:
        self._ask(PROBE_REQUESTS)
        with self._easing.heeding():
            return self._inner.probe(key)

    def probe_reads(self, prefix: str) -> Candour:
        self._ask(PROBE_REQUESTS)
        with self._easing.heeding():
            return self._inner.probe_reads(prefix)

    def may_put(self, key: str) -> bool | None:
        self._ask()
        with self._easing.heeding():
            return self._inner.may_put(key)

    @contextmanager
    def _stream(self, found: ObjectVersion, chunk_bytes: int) -> Iterator[Iterator[bytes]]:
        self._ask()
        with ExitStack() as stack:
            with self._easing.heeding():
                chunks = stack.enter_context(self._inner.stream(found, chunk_bytes))
            yield self._paced(chunks)

    def _ask(self, requests: int = 1) -> None:
        """Wait until as many requests may be sent."""
        self._requests.take(requests)
        self._easing.take()

    def _paced(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._bytes.take(len(chunk))
            yield chunk
