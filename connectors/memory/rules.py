"""Approvals, tombstones, keys and a clock in memory: what others decide, as values."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from repatria.ports.rules import Mask

_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryApprovals:
    """Approvals that stand until they are withdrawn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: dict[str, frozenset[str]] = {}

    def approve(self, digest: str, name: str) -> None:
        """Let ``name`` approve ``digest``; doing so twice changes nothing."""
        with self._lock:
            self._standing[digest] = self._standing.get(digest, frozenset()) | {name}

    def withdraw(self, digest: str, name: str) -> None:
        """Let ``name`` no longer approve ``digest``."""
        with self._lock:
            self._standing[digest] = self._standing.get(digest, frozenset()) - {name}

    def approvers(self, digest: str) -> frozenset[str]:
        with self._lock:
            return self._standing.get(digest, frozenset())


class NoTombstones:
    """Nobody was erased."""

    @property
    def sequence(self) -> int:
        return 0

    def erased(self, users: pa.Array[Any]) -> Mask:
        return np.zeros(len(users), dtype=np.bool_)


class MemoryTombstones:
    """Marks for the given users, who are of the user column's declared type.

    A mark that cannot be read as that type is a defect of the caller and raises; a null is
    nobody. Costs one hash lookup per row.
    """

    def __init__(self, users: Iterable[Any] = ()) -> None:
        self._lock = threading.Lock()
        self._users: tuple[Any, ...] = tuple(users)

    def add(self, user: object) -> int:
        """Mark one more user; return the number of the mark."""
        with self._lock:
            self._users = (*self._users, user)
            return len(self._users)

    @property
    def sequence(self) -> int:
        with self._lock:
            return len(self._users)

    def erased(self, users: pa.Array[Any]) -> Mask:
        with self._lock:
            marked = self._users
        if not marked:
            return np.zeros(len(users), dtype=np.bool_)
        if isinstance(users, pa.DictionaryArray):
            users = users.dictionary_decode()
        found = pc.is_in(users, value_set=pa.array(marked, type=users.type), skip_nulls=True)
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


class MemoryKeys:
    """Keys derived from one secret, so that a test has the same keys every time."""

    def __init__(self, secret: bytes = b"in memory only") -> None:
        self._secret = secret

    def key(self, purpose: str) -> bytes:
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()


class MemoryClock:
    """A clock that stands still unless it is set; to sleep sets it forward and returns at once."""

    def __init__(self, now: datetime = _EPOCH) -> None:
        assert now.tzinfo is not None, "a time says its zone"
        self._lock = threading.Lock()
        self._start = now
        self._passed_s = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        with self._lock:
            return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        with self._lock:
            return self._passed_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._passed_s += max(0.0, seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody asking."""
        assert seconds >= 0, "time does not run backwards; turn the wall clock for that"
        with self._lock:
            self._passed_s += seconds

    def turn(self, now: datetime) -> None:
        """Set the wall clock, forwards or backwards; the monotonic one runs on."""
        with self._lock:
            self._start = now - timedelta(seconds=self._passed_s)
