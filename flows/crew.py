"""Runs the stripes of a job as Prefect tasks: a few at a time, each retried only if it may be.

Names and counts alone cross into a task; the job itself is looked up by its run among those that
this process has opened. Prefect loses records of task runs when there are thousands, so that
stripes share a task where they are many; and a task is submitted when another has ended, so that
as many are in flight as there are workers. After a failure, or when somebody cancels the run,
nothing new is begun and everything under way stops at its next batch boundary.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

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


@task(
    name="stripes",
    task_run_name=task_name,
    retries=4,
    retry_delay_seconds=exponential_backoff(backoff_factor=15),
    retry_jitter_factor=0.5,
    retry_condition_fn=is_transient,
    cache_policy=NO_CACHE,
    persist_result=False,
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


def groups(stripes: Sequence[int], at_most: int = TASKS_MAX) -> list[tuple[int, int]]:
    """Cut ``stripes`` into at most ``at_most`` runs of neighbours; return first and last of each.

    ``stripes`` are in ascending order.
    """
    size = max(1, -(-len(stripes) // at_most))
    parts = (stripes[start : start + size] for start in range(0, len(stripes), size))
    return [(part[0], part[-1]) for part in parts]


def run_all(shift: Shift) -> Tally:
    """Run every stripe of the job of ``shift``. Raises the first failure, when all have ended."""
    with on_shift(shift):
        return _Crew(shift).run()


class _Crew:
    """Tasks in flight, and what those that ended came to."""

    def __init__(self, shift: Shift) -> None:
        self.shift = shift
        self.waiting = iter(groups(shift.job.stripes))
        self.ended: queue.SimpleQueue[PrefectFuture[Any]] = queue.SimpleQueue()
        self.in_flight = 0
        self.tally = Tally()
        self.errors: list[BaseException] = []

    def run(self) -> Tally:
        try:
            self._work()
        except BaseException:
            # A signal, most likely. Threads do not hear it: tell them, and wait for them.
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
            self.shift.pulse()
            self._submit()

    def _submit(self) -> None:
        while self.in_flight < self.shift.workers and not self.shift.stop.is_set():
            if (group := next(self.waiting, None)) is None:
                return
            future = run_stripes.submit(self.shift.run, *group)
            self.in_flight += 1
            future.add_done_callback(self.ended.put)

    def _settle(self, future: PrefectFuture[Any]) -> None:
        self.in_flight -= 1
        result = future.result(raise_on_failure=False)
        if isinstance(result, BaseException):
            self.shift.stop.set()
            self.errors.append(result)
        else:
            self.tally.add(Tally(**result))
