"""Where a flow plays: opens the house, shows the run in the UI, and turns its end into a state.

A run that ended incomplete is a failed state with that name: it must never be green. A failure
that we foresaw becomes a state that says what to do; a defect is left to Prefect as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prefect import get_run_logger
from prefect.client.schemas.objects import State, StateType
from prefect.states import Completed, Failed

from flows import crew
from flows.board import Board
from flows.conduct import Conductor, Crew, Enacted, NoCrew, Watches, on_cluster
from flows.crew import Shift
from flows.hush import hush
from flows.onlooker import current
from flows.wiring import config_folder, open_house
from repatria.errors import RepatriaError

if TYPE_CHECKING:
    from repatria.names import DatasetName
    from repatria.plan import Plan
    from repatria.stripe import Tally

STATES: Final = {
    10: "Refused",
    11: "Disagrees",
    12: "Out of patience",
    13: "Taken over",
    14: "Incomplete",
}
"""Names of failed states, by exit code."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a flow ended: an exit code, one line, and what it came to."""

    exit_code: int
    says: str
    result: object = None


def perform(work: Callable[[Conductor], Ended], *, rehearsed: bool = False) -> State[None]:
    """Do ``work`` with a conductor whose stripes are Prefect tasks; return the state to end in."""
    hush()
    onlooker = current()
    try:
        with open_house(config_folder()) as house:
            board = Board(get_run_logger(), house.clock, rehearsed=rehearsed)
            watchers: list[Watches] = [board, *([onlooker.watcher] if onlooker else [])]
            stop = onlooker.stop if onlooker else threading.Event()
            ended = work(Conductor(house, _All(watchers), _tasks(board), stop))
            board.ends()
    except RepatriaError as error:
        if onlooker:
            onlooker.error = error
        return state_of(Ended(error.exit_code, f"{error}. {error.hint}".strip()))
    if onlooker:
        onlooker.result = ended.result
    return state_of(ended)


def state_of(ended: Ended) -> State[None]:
    """Return the state that says how a run ended."""
    if ended.exit_code == 0:
        return Completed(message=ended.says)
    return Failed(name=STATES.get(ended.exit_code, "Failed"), message=ended.says)


def exit_code_of(state: State[Any]) -> int:
    """Return the exit code that a flow run's state stands for."""
    if state.type is StateType.COMPLETED:
        return 0
    if state.type in (StateType.CANCELLED, StateType.CANCELLING, StateType.PAUSED):
        return 14
    codes = {name: code for code, name in STATES.items()}
    return codes.get(state.name or "", 1)


def _tasks(board: Board) -> Crew:
    def run(enacted: Enacted) -> Tally:
        shift = Shift(
            run=enacted.run,
            job=enacted.job,
            progress=enacted.progress,
            stop=enacted.stop,
            workers=enacted.workers,
            pulse=board.pulse,
            rehearsed=board.rehearsed,
        )
        if not on_cluster(enacted.house, enacted.errand):
            return crew.run_all(shift)
        try:
            from flows.dask_team import dask_team  # noqa: PLC0415 - an extra, and slow to load
        except ImportError as error:
            raise NoCrew("`runner: dask` needs the extra `dask` to be installed") from error
        with dask_team(enacted.house, enacted.errand, enacted.heard) as team:
            return crew.run_all(shift, team)

    return run


@dataclass(frozen=True, slots=True)
class _All:
    """Several watchers as one."""

    watchers: list[Watches]

    def begins(self, plan: Plan, run: str, slices: Mapping[DatasetName, int]) -> None:
        for watcher in self.watchers:
            watcher.begins(plan, run, slices)

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        for watcher in self.watchers:
            watcher.batch(dataset, read, moved, bytes_read)

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        for watcher in self.watchers:
            watcher.slice_done(dataset, label, failed)

    def passed_over(self, slices: int) -> None:
        for watcher in self.watchers:
            watcher.passed_over(slices)

    def noticed(self, what: str) -> None:
        for watcher in self.watchers:
            watcher.noticed(what)
