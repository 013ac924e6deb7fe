"""Lets a command that runs a flow in its own process watch it, stop it, and hear how it ended.

The flow's state is for Prefect; a command wants the outcome itself, to show it as it shows a run
without Prefect.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.conduct import Watches
    from repatria.errors import RepatriaError


@dataclass(slots=True)
class Onlooker:
    """Who watches, the flag that stops the run, and what it came to."""

    watcher: Watches
    stop: threading.Event
    result: object = None
    error: RepatriaError | None = None


_onlooker: ContextVar[Onlooker | None] = ContextVar("onlooker", default=None)


def current() -> Onlooker | None:
    """Return who watches flows that are called in this context, if anybody does."""
    return _onlooker.get()


@contextmanager
def watched_by(onlooker: Onlooker) -> Iterator[None]:
    """Let ``onlooker`` watch the flows that are called in this context."""
    token = _onlooker.set(onlooker)
    try:
        yield
    finally:
        _onlooker.reset(token)
