"""Does everything that a migration does up to the first write, and reports what would happen."""

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
from flows.parameters import RehearseRequest, run_name
from flows.report.story import headline
from flows.stage import Ended, perform

EVERYTHING: Final = RehearseRequest()


@flow(
    name="rehearse",
    flow_run_name=run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=THREADS_MAX),  # type: ignore[arg-type]
    persist_result=False,
)
def rehearse(request: RehearseRequest = EVERYTHING) -> State[Any]:
    """Rehearse a migration: read, sort, shape and encode everything, and write nothing.

    Args:
        request: What to rehearse, and how much of it.

    """

    def work(conductor: Conductor) -> Ended:
        outcome = conductor.move(request.order(Mode.REHEARSAL, request.sample))
        artifacts.outcome(outcome)
        return Ended(outcome.exit_code, headline(outcome), outcome)

    return perform(work, rehearsed=True)
