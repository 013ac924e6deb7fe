"""Moves the records of the chosen regions home, from wherever the last run left off."""

from __future__ import annotations

from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.task_runners import ThreadPoolTaskRunner

import flows.harden  # noqa: F401 - before anything of Prefect's is read
from flows import artifacts
from flows.conduct import Conductor
from flows.crew import THREADS_MAX
from flows.jobs import Mode
from flows.parameters import MigrateRequest, run_name
from flows.report.story import headline
from flows.stage import Ended, perform

EVERYTHING: Final = MigrateRequest()


@flow(
    name="migrate",
    flow_run_name=run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=THREADS_MAX),  # type: ignore[arg-type]
    persist_result=False,
)
def migrate(request: MigrateRequest = EVERYTHING) -> State[Any]:
    """Move the records of the chosen regions to their homes; a rehearsal unless mode says live.

    Starting is resuming: what has a receipt is never moved again. Cancelling a run stops it at
    the next batch boundary and leaves everything consistent.

    Args:
        request: What to migrate, and whether writes are real.

    """

    def work(conductor: Conductor) -> Ended:
        outcome = conductor.move(request.order(request.mode))
        artifacts.outcome(outcome)
        return Ended(outcome.exit_code, headline(outcome), outcome)

    return perform(work, rehearsed=request.mode is not Mode.LIVE)
