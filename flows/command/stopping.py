"""Stops a run when somebody asks: at the next batch boundary first, at once the second time.

Being killed is safe at every moment; being patient only saves the batch under way.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

INCOMPLETE: Final = 14
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(stop: threading.Event, say: Callable[[str], None]) -> Iterator[None]:
    """Set ``stop`` at the first SIGINT or SIGTERM; leave the process at the second."""

    def hear(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            say("Left at once. Everything committed stands; run the same command to carry on.")
            os._exit(INCOMPLETE)
        stop.set()
        say("Stopping at the next batch boundary. Once more to leave at once.")

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
