"""Holding a lease: taking it without anybody's wall clock, and keeping it while work goes on.

A contender looks at (fence, beat), waits a whole lease length by its own monotonic clock, and
takes over only what has not moved. A holder that is known to be dead on this machine is taken
over at once: a dead process commits nothing, and its late puts are conditional.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from repatria.errors import FenceLost, RepatriaError
from repatria.ports.leases import Lease, Leases
from repatria.ports.rules import Clock

BEATS_PER_LEASE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """Who asks for leases, how long one lasts, and how to tell that another holder is dead."""

    leases: Leases
    holder: str
    clock: Clock
    lease_s: float
    dead: Callable[[str], bool]

    @contextmanager
    def hold(self, name: str) -> Iterator[Lease]:
        """Hold the lease ``name`` for the length of the block, beating in the background.

        Raises ``FenceLost`` if somebody else is alive and holds it. A lost lease does not stop
        the block by itself: the ledger refuses its next commit.
        """
        with self._kept(self._take(name)) as lease:
            yield lease

    @contextmanager
    def hold_next(self, names: Sequence[str]) -> Iterator[Lease | None]:
        """Hold the first of these leases that nobody else alive holds; None if there is none.

        Nobody is waited for: who is left with leases that others hold may ``hold`` one of them,
        which watches it, or ask again later.
        """
        lease = self._claim(names)
        if lease is None:
            yield None
            return
        with self._kept(lease):
            yield lease

    @contextmanager
    def _kept(self, lease: Lease) -> Iterator[Lease]:
        ended = threading.Event()
        beater = threading.Thread(target=self._beat, args=(lease, ended), daemon=True)
        beater.start()
        try:
            yield lease
        finally:
            ended.set()
            beater.join()
            self.leases.release(lease)

    def _claim(self, names: Sequence[str]) -> Lease | None:
        lease = self.leases.claim(names, self.holder)
        for name in names if lease is None else ():
            seen = self.leases.look(name)
            if seen is not None and self.dead(seen[0]):
                lease = self.leases.take(name, self.holder, seen[1:])
            if lease is not None:
                break
        return lease

    def _take(self, name: str) -> Lease:
        seen = self.leases.look(name)
        if seen is None:
            lease = self.leases.take(name, self.holder, None)
        else:
            holder, *state = seen
            if not self.dead(holder):
                self._watch(name, (state[0], state[1]))
            lease = self.leases.take(name, self.holder, (state[0], state[1]))
        if lease is None:
            raise FenceLost("another worker took this stripe just now", lease=name)
        return lease

    def _watch(self, name: str, seen: tuple[int, int]) -> None:
        until = self.clock.monotonic() + self.lease_s
        while (left := until - self.clock.monotonic()) > 0:
            self.clock.sleep(min(left, self.lease_s / BEATS_PER_LEASE))
            now = self.leases.look(name)
            if now is None or (now[1], now[2]) != seen:
                raise FenceLost("another worker is at work on this stripe", lease=name)

    def _beat(self, lease: Lease, ended: threading.Event) -> None:
        while not ended.wait(self.lease_s / BEATS_PER_LEASE):
            try:
                self.leases.beat(lease)
            except FenceLost:
                return
            except RepatriaError:
                continue  # A beat may be missed; whole lease lengths may not.
