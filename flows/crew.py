"""Runs the stripes of a job as Prefect tasks: a few at a time, each retried only if it may be.

Names and counts alone cross into a task; the job itself is looked up by its run among those that
this process has opened, or joined by its run on a worker of a Dask cluster. Prefect loses records
of task runs when there are thousands, so that stripes share a task where they are many; and a
task is submitted when another has ended, so that as many are in flight as there are workers.
After a failure, or when somebody cancels the run, nothing new is begun and everything under way
stops at its next batch boundary.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from flows.jobs import run_in_turn, worst
from flows.report.numbers import count, plural
from flows.report.outcome import counts
from flows.report.story import moved_so_far
from repatria.errors import Stopped, Transient
from repatria.ports.rules import Progresses
from repatria.stripe import Tally

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State, TaskRun
    from prefect.futures import PrefectFuture

    from flows.jobs import Job

THREADS_MAX: Final = 256
"""Threads that a flow may have. As many are used as the configuration has workers: it is read when
the flow runs, and Prefect wants a number when it is imported."""
TASKS_MAX: Final = 400
"""Task runs of one flow run, at most."""
PULSE_S: Final = 2.0
"""How often whoever waits for stripes looks up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A job under way in this process."""

    run: str
    job: Job
    progress: Progresses
    stop: threading.Event
    workers: int
    pulse: Callable[[], None] = field(default=lambda: None)
    rehearsed: bool = False


class Team(Protocol):
    """Whoever runs groups of stripes as Prefect tasks."""

    @property
    def capacity(self) -> int:
        """How many groups may be under way now."""
        ...

    def submit(self, stripes: Sequence[int]) -> PrefectFuture[Any]:
        """Give away a group."""
        ...

    def result(self, future: PrefectFuture[Any]) -> Tally | BaseException:
        """Return what a group came to that has ended, or what it raised."""
        ...

    def stop(self) -> None:
        """Ask for an end at the next batch boundary. May be repeated."""
        ...


_open: dict[str, Shift] = {}


@contextmanager
def on_shift(shift: Shift) -> Iterator[None]:
    """Let tasks find ``shift`` by the name of its run."""
    _open[shift.run] = shift
    try:
        yield
    finally:
        del _open[shift.run]


def is_transient(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Let Prefect repeat only what the core says may be repeated."""
    return isinstance(state.result(raise_on_failure=False), Transient)


def task_name() -> str:
    """Name a task run by its stripes."""
    from prefect.runtime import task_run  # noqa: PLC0415 - Prefect asks inside of the run

    return span_of(task_run.parameters["first"], task_run.parameters["last"])


def span_of(first: int, last: int) -> str:
    """Name the stripes from ``first`` to ``last``."""
    return f"stripe {first}" if first == last else f"stripes {first} to {last}"


RETRIED: Final[dict[str, Any]] = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=15),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
"""How a task is repeated."""


@task(
    name="stripes",
    task_run_name=task_name,
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRIED,
)
def run_stripes(run: str, first: int, last: int) -> Mapping[str, int]:
    """Run the stripes from ``first`` to ``last``; the ledger remembers how far each came."""
    shift = _open[run]
    stripes = [number for number in shift.job.stripes if first <= number <= last]
    tally = run_in_turn(shift.job, stripes, shift.progress, shift.stop.is_set)
    told = summed(tally, rehearsed=shift.rehearsed)
    get_run_logger().info("%s: %s", span_of(first, last), told)
    return counts(tally)


def summed(tally: Tally, *, rehearsed: bool) -> str:
    """Say what stripes came to, as a line of the log."""
    done = f"{plural(tally.done, 'slice')} done, {count(tally.failed)} failed"
    moved = moved_so_far(tally.moved, rehearsed=rehearsed)
    return f"{done}, {plural(tally.read, 'record')} read, {moved}"


def groups(stripes: Sequence[int], at_most: int = TASKS_MAX) -> list[Sequence[int]]:
    """Cut ``stripes``, in ascending order, into at most ``at_most`` runs of neighbours."""
    size = max(1, -(-len(stripes) // at_most))
    return [stripes[start : start + size] for start in range(0, len(stripes), size)]


def run_all(shift: Shift, team: Team | None = None) -> Tally:
    """Run every stripe of the job of ``shift``. Raises the worst failure, when all have ended.

    Without a ``team`` in threads of this process.
    """
    with on_shift(shift):
        return _Crew(shift, team or ThreadTeam(shift)).run()


@dataclass(frozen=True, slots=True)
class ThreadTeam:
    """Threads of Prefect's in this process."""

    shift: Shift

    @property
    def capacity(self) -> int:
        """As many as there are workers."""
        return self.shift.workers

    def submit(self, stripes: Sequence[int]) -> PrefectFuture[Any]:
        """Give a group to a thread."""
        return run_stripes.submit(self.shift.run, stripes[0], stripes[-1])

    def result(self, future: PrefectFuture[Any]) -> Tally | BaseException:
        """Return what a group came to."""
        found = future.result(raise_on_failure=False)
        return found if isinstance(found, BaseException) else Tally(**found)

    def stop(self) -> None:
        """Do nothing: threads look at the flag themselves."""


class _Crew:
    """Tasks in flight, and what those that ended came to."""

    def __init__(self, shift: Shift, team: Team) -> None:
        self.shift = shift
        self.team = team
        self.waiting = iter(groups(shift.job.stripes))
        self.ended: queue.SimpleQueue[PrefectFuture[Any]] = queue.SimpleQueue()
        self.in_flight = 0
        self.tally = Tally()
        self.errors: list[BaseException] = []

    def run(self) -> Tally:
        try:
            self._work()
        except BaseException:
            # A signal, most likely. The team does not hear it: tell it, and wait for it.
            self.shift.stop.set()
            self._work()
            raise
        if self.errors:
            raise worst(self.errors)
        if self.shift.stop.is_set():
            raise Stopped("stopped between two stripes, as asked")
        return self.tally

    def _work(self) -> None:
        self._submit()
        while self.in_flight:
            with suppress(queue.Empty):
                self._settle(self.ended.get(timeout=PULSE_S))
            if self.shift.stop.is_set():
                self.team.stop()
            self.shift.pulse()
            self._submit()

    def _submit(self) -> None:
        while not self.shift.stop.is_set() and self.in_flight < self.team.capacity:
            if (group := next(self.waiting, None)) is None:
                return
            future = self.team.submit(group)
            self.in_flight += 1
            future.add_done_callback(self.ended.put)

    def _settle(self, future: PrefectFuture[Any]) -> None:
        self.in_flight -= 1
        result = self.team.result(future)
        if isinstance(result, BaseException):
            self.shift.stop.set()
            self.errors.append(result)
        else:
            self.tally.add(result)
