"""Points at which a process may be made to die or to stop: every durable call, before and after.

The engine has no hooks. Whoever drives it (``driver``) wraps what the house hands out: buckets,
ledger, spool, and the files that are written beside them. Each call is numbered and told to a
file as it is made, with one system call, so that it is known even of a process that died there.
A process that is given no number dies nowhere, and its file is the list of all points.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from connectors.sql.ledger import SqlLedger
from flows.wiring import House
from repatria.ports.bucket import Bucket

STORE: Final = frozenset({"put", "probe"})
SPOOL: Final = frozenset({"append"})
FILE: Final = frozenset({"replace"})
LEDGER: Final = frozenset(
    {
        *("attempt", "begin", "claim", "commit", "end", "failed", "finish_stripe", "finished"),
        *("fix_cutting", "release", "reopen", "save_comparisons", "save_config", "save_plan"),
        "take",
    }
)
"""Writes of the ledger, but for the beat of a lease: it goes by the clock, and has no number."""


@dataclass
class Failpoint:
    """Counts calls; at one of them it sends its own process a signal."""

    log: Path
    at: int | None = None
    before: bool = True
    signal: int = 9
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _calls: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._told = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)

    def around(self, port: Any, kind: str, methods: frozenset[str]) -> Any:
        """Return ``port`` with ``methods`` passing through here."""
        return _Through(self, port, kind, methods)

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Make one call."""
        with self._lock:
            here = self._calls == self.at
            self._calls += 1
            os.write(self._told, f"{name}\n".encode())
        if here and self.before:
            os.kill(os.getpid(), self.signal)
        try:
            yield
        finally:
            if here and not self.before:
                os.kill(os.getpid(), self.signal)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stand between the house and whoever asks it for something."""
        bucket, ledger, spool = House._bucket, House.ledger, House.spool

        def watched_bucket(house: House, *given: Any, **named: Any) -> Bucket:
            found: Bucket = self.around(bucket(house, *given, **named), "store", STORE)
            return found

        def watched_ledger(house: House, *given: Any, **named: Any) -> SqlLedger:
            found: SqlLedger = self.around(ledger(house, *given, **named), "ledger", LEDGER)
            return found

        patch.setattr(House, "_bucket", watched_bucket)
        patch.setattr(House, "ledger", watched_ledger)
        patch.setattr(House, "spool", lambda house: self.around(spool(house), "spool", SPOOL))
        for name in FILE:
            patch.setattr(Path, name, self._passing(f"file.{name}", getattr(Path, name)))

    def _passing(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            with self.call(name):
                return method(*given, **named)

        return call


@dataclass(frozen=True)
class _Through:
    failpoint: Failpoint
    port: Any
    kind: str
    methods: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.port, name)
        if name not in self.methods:
            return found
        return self.failpoint._passing(f"{self.kind}.{name}", found)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.port)

    def __enter__(self) -> Any:
        self.port.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self.port.__exit__(*raised)


def of(asked: Mapping[str, Any]) -> Failpoint:
    """Return the point that a request to the driver names."""
    return Failpoint(
        log=Path(asked["folder"]) / "points",
        at=asked.get("at"),
        before=asked.get("before", True),
        signal=asked.get("signal", 9),
    )
