"""The command line with a meter on its ledger: ``python -m bench.tapped OUT migrate --live``.

Every public call of the ledger (receipts, leases, plans, failures, runs) is timed on the CPU of
the thread that makes it; what a call gives to be iterated is timed as it is read. The sum is
written to OUT as JSON at the end. It sees this process alone: run it with ``runner: threads``.
"""

from __future__ import annotations

import atexit
import functools
import json
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import isfunction
from pathlib import Path
from typing import Final, TypeVar

from connectors.sql.ledger import SqlLedger
from flows.command import main

T = TypeVar("T")


class Meter:
    """Adds up the CPU of calls by name; a call within a call belongs to the outer one."""

    def __init__(self) -> None:
        self.cpu_s: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._inside = threading.local()

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time a block."""
        if getattr(self._inside, "name", None) is not None:
            yield
            return
        self._inside.name, began = name, time.thread_time()
        try:
            yield
        finally:
            spent = time.thread_time() - began
            self._inside.name = None
            with self._lock:
                self.cpu_s[name] += spent
                self.calls[name] += 1

    def watch(self, call: Callable[..., object]) -> Callable[..., object]:
        """Return ``call``, timed."""

        @functools.wraps(call)
        def watched(*arguments: object, **named: object) -> object:
            with self.timed(call.__name__):
                result = call(*arguments, **named)
            return self._read(call.__name__, result) if isinstance(result, Iterator) else result

        return watched

    def _read(self, name: str, rows: Iterator[T]) -> Iterator[T]:
        while True:
            with self.timed(name):
                row = next(rows, _END)
            if row is _END:
                return
            yield row  # type: ignore[misc]

    def write(self, file: Path) -> None:
        """Write down what was counted."""
        told = {"cpu_s": sum(self.cpu_s.values()), "each": self.cpu_s, "calls": self.calls}
        file.write_text(json.dumps(told), "utf-8")


_END: Final = object()


def tap(meter: Meter) -> None:
    """Put ``meter`` on every public call of the ledger."""
    for part in SqlLedger.__mro__:
        if part.__module__.startswith("connectors.sql"):
            for name, call in vars(part).items():
                if isfunction(call) and not name.startswith("_"):
                    setattr(part, name, meter.watch(call))


if __name__ == "__main__":
    out = Path(sys.argv.pop(1))
    counted = Meter()
    tap(counted)
    atexit.register(counted.write, out)
    main()
