"""A bucket in memory that fails where it is told to: the call is lost, or its answer is."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import TypeVar

import pyarrow as pa

from connectors.memory.bucket import MemoryBucket
from repatria.errors import RepatriaError
from repatria.names import SiteName
from repatria.ports.bucket import Absent
from repatria.stored import About, Found, ObjectVersion

T = TypeVar("T")


class FailingBucket(MemoryBucket):
    """Before each call the next of ``lost`` is raised; after it the next of ``unheard``."""

    def __init__(self) -> None:
        super().__init__(SiteName("dublin-1"), page_keys=3)
        self.lost: list[RepatriaError | None] = []
        self.unheard: list[RepatriaError | None] = []
        self.break_after: list[tuple[int, RepatriaError]] = []

    def head(self, key: str, version: str | None = None) -> Found:
        _raise_next(self.lost)
        return super().head(key, version)

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        _raise_next(self.lost)
        return super().read(found, start, stop)

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        return self._broken(super().list(prefix, after))

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._broken_stream(super().stream(found, chunk_bytes))

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        _raise_next(self.lost)
        stored = super().put(key, body, about, replaces)
        _raise_next(self.unheard)
        return stored

    @contextmanager
    def _broken_stream(
        self, whole: AbstractContextManager[Iterator[bytes]]
    ) -> Iterator[Iterator[bytes]]:
        _raise_next(self.lost)
        with whole as chunks:
            yield self._broken(chunks)

    def _broken(self, items: Iterator[T]) -> Iterator[T]:
        """Yield some items, then fail, if the next break says so."""
        room, failure = self.break_after.pop(0) if self.break_after else (None, None)
        yield from items if room is None else islice(items, room)
        if failure is not None:
            raise failure


def _raise_next(failures: MutableSequence[RepatriaError | None]) -> None:
    failure = failures.pop(0) if failures else None
    if failure is not None:
        raise failure
