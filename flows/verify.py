"""Reads both sides anew and compares them, record by record."""

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
from flows.parameters import VerifyRequest, run_name
from flows.report.verification import headline
from flows.stage import Ended, perform

EVERYTHING: Final = VerifyRequest()


@flow(
    name="verify",
    flow_run_name=run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=THREADS_MAX),  # type: ignore[arg-type]
    persist_result=False,
)
def verify(request: VerifyRequest = EVERYTHING) -> State[Any]:
    """Compare what stands at home with the source: matched, missing, extra, altered, unverified.

    Args:
        request: What to verify.

    """

    def work(conductor: Conductor) -> Ended:
        outcome = conductor.verify(request.order(Mode.LIVE))
        artifacts.comparison(outcome)
        return Ended(outcome.exit_code, headline(outcome), outcome)

    return perform(work)
