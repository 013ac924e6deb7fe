"""A bucket that tries again when, and only when, the failure is ``Transient``.

What may be repeated is repeated whole. What is half done is carried on instead: a listing past
its last key, a stream from the byte that it reached, at the same version. Each step forward
earns all attempts anew. A put may be repeated because it is conditional: after a lost answer the
second attempt finds our own object and says ``Occupied``, and the engine looks.

Worst wait of one call: ``limits.call_s_max``, of which ``wait_s_max`` between two attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from random import Random
from typing import Final, TypeVar

import pyarrow as pa
import tenacity

from repatria.errors import Throttled, Transient
from repatria.limits import Limits
from repatria.names import SiteName
from repatria.ports.bucket import Absent, Bucket
from repatria.ports.rules import Clock
from repatria.stored import About, Candour, Found, Honours, ObjectVersion, Observed

T = TypeVar("T")

WAIT_S: Final = 0.5
"""The longest first wait; each next may be twice as long."""

THROTTLED_WAIT_S: Final = 4.0
"""The same after a store asked for fewer requests; and at least a quarter of it is waited."""

PIECE_BYTES: Final = 8 * 1024 * 1024
"""How much of a broken stream is asked for at a time."""


class Patience:
    """Decides how long to wait before the next attempt of one call, and when to give up."""

    def __init__(self, limits: Limits, clock: Clock, rng: Random) -> None:
        self._limits = limits
        self._clock = clock
        self._rng = rng

    def attempt(self, call: Callable[[], T]) -> T:
        """Return what ``call`` returns, or raise the last of its failures."""
        begun_s = self._clock.monotonic()

        def over(state: tenacity.RetryCallState) -> bool:
            if state.attempt_number >= self._limits.attempts:
                return True
            passed_s = self._clock.monotonic() - begun_s
            return passed_s + state.upcoming_sleep > self._limits.call_s_max

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Transient),
            wait=self._wait,
            stop=over,
            sleep=self._clock.sleep,
            reraise=True,
        )
        return retrying(call)

    def after(self, failure: Transient, call: Callable[[], T]) -> T:
        """Do the same after an attempt that failed already, which counts as the first."""
        failures = [failure]

        def once_failed() -> T:
            if failures:
                raise failures.pop()
            return call()

        return self.attempt(once_failed)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Full jitter, exponential: M. Brooker, "Exponential Backoff And Jitter", 2015."""
        failure = state.outcome.exception() if state.outcome is not None else None
        slow = isinstance(failure, Throttled)
        first_s = THROTTLED_WAIT_S if slow else WAIT_S
        longest_s = min(self._limits.wait_s_max, first_s * 2.0 ** (state.attempt_number - 1))
        return self._rng.uniform(longest_s / 4 if slow else 0.0, longest_s)


class Retrying:
    """Same port in, same port out. ``rng`` need not be secure; tests give it a seed."""

    def __init__(self, inner: Bucket, limits: Limits, clock: Clock, rng: Random) -> None:
        self._inner = inner
        self._patience = Patience(limits, clock, rng)

    @property
    def site(self) -> SiteName:
        return self._inner.site

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        found = self._inner.list(prefix, after)
        while True:
            try:
                for entry in found:
                    after = entry.object.key
                    yield entry
            except Transient as error:
                failure = error
            else:
                return
            first, found = self._patience.after(failure, partial(self._open, prefix, after))
            if first is None:
                return
            after = first.object.key
            yield first

    def head(self, key: str, version: str | None = None) -> Found:
        return self._patience.attempt(lambda: self._inner.head(key, version))

    def tags(self, key: str, version: str | None = None) -> dict[str, str]:
        return self._patience.attempt(lambda: self._inner.tags(key, version))

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        return self._patience.attempt(lambda: self._inner.read(found, start, stop))

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._stream(found, chunk_bytes)

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        return self._patience.attempt(lambda: self._inner.put(key, body, about, replaces))

    def read_back(self, found: ObjectVersion, sent: pa.Buffer) -> pa.Buffer:
        return self._patience.attempt(lambda: self._inner.read_back(found, sent))

    def observe(self) -> Observed:
        return self._patience.attempt(self._inner.observe)

    def probe(self, key: str) -> Honours:
        return self._patience.attempt(lambda: self._inner.probe(key))

    def probe_reads(self, prefix: str) -> Candour:
        return self._patience.attempt(lambda: self._inner.probe_reads(prefix))

    def may_put(self, key: str) -> bool | None:
        return self._patience.attempt(lambda: self._inner.may_put(key))

    def _open(self, prefix: str, after: str | None) -> tuple[Found | None, Iterator[Found]]:
        """Begin a listing anew; return its first entry, which is when it is really asked for."""
        found = self._inner.list(prefix, after)
        return next(found, None), found

    @contextmanager
    def _stream(self, found: ObjectVersion, chunk_bytes: int) -> Iterator[Iterator[bytes]]:
        with ExitStack() as stack:
            chunks = self._patience.attempt(
                lambda: stack.enter_context(self._inner.stream(found, chunk_bytes))
            )
            yield self._carried_on(chunks, found, chunk_bytes)

    def _carried_on(
        self, chunks: Iterator[bytes], found: ObjectVersion, chunk_bytes: int
    ) -> Iterator[bytes]:
        """Yield the stream, and after a break the rest of it, piece by piece.

        A failure after the last byte is one of the whole: what was yielded is damaged, nothing
        is left to ask for, and it is raised.
        """
        reached = 0
        try:
            for chunk in chunks:
                reached += len(chunk)
                yield chunk
        except Transient as error:
            if reached >= found.size:
                raise
            failure = error
        else:
            return
        piece = self._patience.after(failure, partial(self._piece, found, reached))
        while True:
            for at in range(0, piece.size, chunk_bytes):
                yield piece.slice(at, min(chunk_bytes, piece.size - at)).to_pybytes()
            reached += piece.size
            if reached >= found.size:
                return
            piece = self._patience.attempt(partial(self._piece, found, reached))

    def _piece(self, found: ObjectVersion, start: int) -> pa.Buffer:
        return self._inner.read(found, start, min(start + PIECE_BYTES, found.size))
