"""How fast a store is asked after it asked for fewer requests: half as fast, and slowly faster.

All threads share it. The first plea sets a rate, each further one halves it, and every five calm
seconds double it, until it is none again (multiplicative decrease, as in TCP: V. Jacobson,
"Congestion Avoidance and Control", 1988). Pleas that come together count as one: they answer
requests that were sent at one rate. It never gets slower than a dozen requests a second: a store
that pleads without regard to the rate must not bring the work to a stand, and whoever was refused
waits much longer than that anyhow, before the same call is made again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from repatria.errors import Throttled
from repatria.ports.rules import Clock

FIRST_GAP_S: Final = 0.005
GAP_S_MAX: Final = 0.08
CALM_S: Final = 5.0
TOGETHER_S: Final = 0.5


class Easing:
    """Keeps a gap between requests, as long as it takes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._gap_s = 0.0
        self._changed_at_s = clock.monotonic()
        self._next_s = 0.0

    def take(self) -> None:
        """Wait for this request's turn."""
        with self._lock:
            now_s = self._clock.monotonic()
            self._recover(now_s)
            if not self._gap_s:
                return
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._gap_s
        if turn_s > now_s:
            self._clock.sleep(turn_s - now_s)

    @contextmanager
    def heeding(self) -> Iterator[None]:
        """Slow down if what is asked inside is answered by a plea."""
        try:
            yield
        except Throttled:
            self._slow_down()
            raise

    def _slow_down(self) -> None:
        with self._lock:
            now_s = self._clock.monotonic()
            self._recover(now_s)
            if self._gap_s and now_s - self._changed_at_s < TOGETHER_S:
                return
            self._gap_s = min(GAP_S_MAX, max(FIRST_GAP_S, 2 * self._gap_s))
            self._changed_at_s = now_s

    def _recover(self, now_s: float) -> None:
        """Halve the gap for each calm while; the lock is held by the caller."""
        while self._gap_s and now_s - self._changed_at_s >= CALM_S:
            self._gap_s = self._gap_s / 2 if self._gap_s > FIRST_GAP_S else 0.0
            self._changed_at_s += CALM_S
