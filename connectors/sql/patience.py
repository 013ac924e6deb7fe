"""How long a call to the ledger is repeated while its database is away.

Every decorated method is one transaction, or several of which each may be repeated. A method that
failed with ``Transient`` did not commit (``Store.writing`` has looked), so that it is done again as
a whole; one of which nobody could learn whether it committed is not, and ends as ``Unsettled``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from random import Random
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

import tenacity

from repatria.errors import Transient
from repatria.ports.rules import Clock

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 5.0

P = ParamSpec("P")
T = TypeVar("T")


class Unsettled(Transient):
    """The ledger went away while it committed, and did not come back in time to be asked."""


class Patience(Protocol):
    """Who decides whether a call is made again."""

    def attempt(self, call: Callable[[], T]) -> T:
        """Return what ``call`` returns, or raise the last of its failures."""
        ...


class Once:
    """No patience at all: the first failure is the last."""

    def attempt(self, call: Callable[[], T]) -> T:
        return call()


@dataclass(frozen=True, slots=True)
class Until:
    """Repeats what is ``Transient`` for ``seconds``, with full jitter between the attempts."""

    seconds: float
    clock: Clock
    rng: Random = field(repr=False)

    def attempt(self, call: Callable[[], T]) -> T:
        begun_s = self.clock.monotonic()

        def over(state: tenacity.RetryCallState) -> bool:
            return self.clock.monotonic() - begun_s + state.upcoming_sleep > self.seconds

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_be_repeated),
            wait=self._wait,
            stop=over,
            sleep=self.clock.sleep,
            reraise=True,
        )
        return retrying(call)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Full jitter, exponential: M. Brooker, "Exponential Backoff And Jitter", 2015."""
        longest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(state.attempt_number - 1, 8))
        return self.rng.uniform(0.0, longest_s)


def _may_be_repeated(error: BaseException) -> bool:
    return isinstance(error, Transient) and not isinstance(error, Unsettled)


class HasPatience(Protocol):
    """A part of the ledger that knows how patient it is."""

    @property
    def patience(self) -> Patience: ...


S = TypeVar("S", bound=HasPatience)


def patient(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Let a method of the ledger be repeated while its database is away."""

    @wraps(method)
    def call(self: S, /, *args: P.args, **named: P.kwargs) -> T:
        return self.patience.attempt(lambda: method(self, *args, **named))

    return call
