"""A world in memory in which any call to the outside can fail, once, before or after its effect.

``World`` numbers each call that crosses a port. Told to fail call *n*, it raises ``Transient``
there: before the effect (``LOST``) or after it (``PERSISTED``, as when an answer is lost on its way
back). Killing a process is the same thing seen from outside: what is not in a store is gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from repatria.errors import Transient


class Fault(Enum):
    LOST = auto()
    PERSISTED = auto()


@dataclass
class World:
    """Counts calls, and breaks one of them."""

    fail_at: int | None = None
    fault: Fault = Fault.LOST
    calls: int = field(default=0, init=False)
    told: list[str] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def around(self, port: object, *methods: str) -> Any:
        """Return ``port`` with ``methods`` passing through this world."""
        return _Through(self, port, frozenset(methods))

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        with self._lock:
            breaks = self.calls == self.fail_at
            self.calls += 1
            self.told.append(name)
        if breaks and self.fault is Fault.LOST:
            raise Transient("lost before the effect")
        try:
            yield
        finally:
            if breaks:  # Also when the answer would have been a refusal: nobody heard it.
                raise Transient("lost after the effect")


class _Through:
    def __init__(self, world: World, port: object, methods: frozenset[str]) -> None:
        self._world, self._port, self._methods = world, port, methods

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._through(name, found) if name in self._methods else found

    def _through(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            with self._world.call(name):
                return method(*args, **named)

        return call
