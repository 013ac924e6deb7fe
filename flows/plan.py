"""Lists the sources and freezes what will be read: the plan that every run works from."""

from __future__ import annotations

from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State

import flows.harden  # noqa: F401 - before anything of Prefect's is read
from flows import artifacts
from flows.conduct import Conductor
from flows.parameters import PlanRequest, run_name
from flows.report.numbers import plural
from flows.stage import Ended, perform

EVERYTHING: Final = PlanRequest()


@flow(name="plan", flow_run_name=run_name, persist_result=False)
def plan(request: PlanRequest = EVERYTHING) -> State[Any]:
    """List the sources, freeze each object's version, and estimate what the move will take.

    Args:
        request: What to plan.

    """

    def work(conductor: Conductor) -> Ended:
        made = conductor.plan(request.datasets, request.regions)
        artifacts.planned(made)
        return Ended(0, f"plan {made.digest[:12]} has {plural(made.slice_count, 'slice')}", made)

    return perform(work)
