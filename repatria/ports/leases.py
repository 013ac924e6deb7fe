"""The port of leases: the right to work on a stripe, fenced so that a ghost cannot use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a stripe. A newer fence ends an older one."""

    name: str
    holder: str
    fence: int


class Leases(Protocol):
    """Fenced leases: who wants one watches its beat by their own monotonic clock.

    Unmoved for a whole lease length, it may be taken, and the fence grows by one.
    """

    def take(self, name: str, holder: str, expect: tuple[int, int] | None) -> Lease | None:
        """Take a lease that is free (or whose (fence, beat) is still ``expect``); else None."""
        ...

    def claim(self, names: Sequence[str], holder: str) -> Lease | None:
        """Take the first of ``names`` that nobody holds; None if somebody holds each of them.

        Several that ask at once get several, and none of them waits for another.
        """
        ...

    def look(self, name: str) -> tuple[str, int, int] | None:
        """Return (holder, fence, beat) of a held lease, or None when it is free."""
        ...

    def beat(self, lease: Lease) -> None:
        """Count up. Raises ``FenceLost``."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back; harmless if it is lost."""
        ...
