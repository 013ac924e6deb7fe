"""A team on a Dask cluster: each task of Prefect's runs its stripes by a hand of a Dask worker.

Only names cross to a worker: the folder of the configuration, the order, the run, the stripes. It
joins the run like anybody else, so that a worker that dies has done what has a receipt, and Dask
gives its task to another. A hand stands between the worker and what it decodes: poison
ends the hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from distributed import KilledWorker
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect_dask.task_runners import DaskTaskRunner

import flows.harden  # noqa: F401 - before anything of Prefect's is read
from connectors.process import holder
from flows.crew import RETRIED, span_of, summed
from flows.hands.deaths import HandsLost
from flows.hands.elsewhere import Report
from flows.hands.errand import Errand
from flows.hands.staff import Notice, staffed_elsewhere
from flows.hands.wire import meters_told
from flows.jobs import run_in_turn
from flows.part import Part
from flows.wiring import House, open_house
from repatria.errors import Refused
from repatria.stripe import Tally

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture

WORKERS_S: Final = 120.0
"""Seconds that a cluster has for its first worker."""
_SQLITE: Final = "sqlite:"


class LedgerElsewhere(Refused):
    """The ledger is a file of another machine."""

    hint = "Workers on several machines share a ledger on PostgreSQL; see docs/many-machines.md."


def task_name() -> str:
    """Name a task run by its stripes."""
    from prefect.runtime import task_run  # noqa: PLC0415 - Prefect asks inside of the run

    stripes = task_run.parameters["stripes"]
    return span_of(stripes[0], stripes[-1])


@task(
    name="stripes",
    task_run_name=task_name,
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRIED,
)
def run_there(
    errand: Mapping[str, Any], machine: str, stripes: Sequence[int], of: int
) -> dict[str, Any]:
    """Run stripes by a hand of this Dask worker, one of ``of``; return a ``Report``."""
    heard = Errand.heard(errand)
    with open_house(heard.folder, Part(of)) as house:
        refuse_far_ledger(house, machine)
        report = worked_through(house, heard, stripes)
    told = summed(report.tally, rehearsed=False)
    get_run_logger().info("%s: %s", span_of(stripes[0], stripes[-1]), told)
    return report.told()


def worked_through(house: House, errand: Errand, stripes: Sequence[int]) -> Report:
    """Run stripes one after another by one hand, until whoever began the run wants it to stop."""
    report = Report()
    stopping = stop_file(house, errand.run).exists
    with staffed_elsewhere(house, errand, Notice(report.noticed)) as job:
        report.tally = run_in_turn(job, stripes, report, stopping)
    return replace(report, meters=meters_told(house))


def refuse_far_ledger(house: House, machine: str) -> None:
    """Raise ``LedgerElsewhere`` for a ledger that is a file of another machine."""
    if house.config.ledger.startswith(_SQLITE) and machine != this_machine():
        raise LedgerElsewhere("the ledger is a file, and this worker is on another machine")


def this_machine() -> str:
    """Name this boot of this machine; containers are machines of their own."""
    return holder().partition("/")[0]


def stop_file(house: House, run: str) -> Path:
    """Return the file whose presence asks the workers of a run to stop."""
    return house.state / "stops" / run


@dataclass(frozen=True, slots=True)
class DaskTeam:
    """Gives groups of stripes to a Dask cluster."""

    house: House
    errand: Errand
    runner: DaskTaskRunner
    heard: Callable[[Report], None]

    @property
    def capacity(self) -> int:
        """How many groups the workers that are there now can run at once."""
        threads: dict[str, int] = self.runner.client.nthreads()  # type: ignore[no-untyped-call]
        return max(1, sum(threads.values()))

    def submit(self, stripes: Sequence[int]) -> PrefectFuture[Any]:
        """Give away a group."""
        return self.runner.submit(
            run_there,
            {
                "errand": self.errand.told(),
                "machine": this_machine(),
                "stripes": list(stripes),
                "of": self.capacity,
            },
        )

    def result(self, future: PrefectFuture[Any]) -> Tally | BaseException:
        """Return what a group came to."""
        try:
            found = future.result(raise_on_failure=False)
        except KilledWorker:
            return HandsLost("the Dask workers of one task ended again and again")
        if isinstance(found, BaseException):
            return found
        report = Report.heard(found)
        self.heard(report)
        return report.tally

    def stop(self) -> None:
        """Ask the workers to stop at their next batch boundary."""
        file = stop_file(self.house, self.errand.run)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()


class ClusterAway(Refused):
    """No scheduler of a Dask cluster answers at the configured address."""

    hint = "Look whether it runs and can be reached: `runner` in the configuration has its address."


@contextmanager
def dask_team(house: House, errand: Errand, heard: Callable[[Report], None]) -> Iterator[DaskTeam]:
    """Connect with the configured cluster, or start one on this machine for this run.

    Raises ``ClusterAway``.
    """
    with _cluster(house) as runner:
        try:
            runner.client.wait_for_workers(1, timeout=WORKERS_S)
        except OSError as error:
            raise ClusterAway("no Dask cluster with a worker answers") from error
        try:
            yield DaskTeam(house, errand, runner, heard)
        finally:
            stop_file(house, errand.run).unlink(missing_ok=True)


def _cluster(house: House) -> DaskTaskRunner:
    if (address := house.config.runner.address) is not None:
        return DaskTaskRunner(address=address)
    scratch = str(house.state / "dask")
    return DaskTaskRunner(
        cluster_kwargs={
            "n_workers": house.workers,
            "threads_per_worker": 1,
            "dashboard_address": "127.0.0.1:0",
            "local_directory": scratch,
            "scheduler_kwargs": {"local_directory": scratch},
            "memory_limit": 0,  # A worker holds little; what its hand holds has limits of ours.
        }
    )
