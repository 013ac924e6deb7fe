"""Hears Ctrl-C although a command has its own handler for it.

A run stops at its next batch boundary and ends like any other that is incomplete; whoever called
it still has to know that somebody asked.
"""

from __future__ import annotations

import os
import signal
from types import TracebackType
from typing import Final, Self

ASKING: Final = frozenset({signal.SIGINT, signal.SIGTERM})


class Interrupts:
    """Remembers signals that ask to stop, whoever handles them. Main thread only."""

    def __enter__(self) -> Self:
        self._reads, self._writes = os.pipe()
        os.set_blocking(self._reads, False)
        os.set_blocking(self._writes, False)
        self._before = signal.set_wakeup_fd(self._writes, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(self._before)
        os.close(self._reads)
        os.close(self._writes)

    def heard(self) -> bool:
        """Whether somebody asked since the last time this was asked."""
        try:
            numbers = os.read(self._reads, 4096)
        except BlockingIOError:
            return False
        return bool(ASKING & set(numbers))
