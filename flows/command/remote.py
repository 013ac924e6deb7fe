"""Starts a deployment at a Prefect worker, and follows the run to its end.

Leaving early leaves the run alone: it goes on at its worker, and can be cancelled in the UI.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_UI_URL

from flows.command.screen.console import say
from flows.stage import exit_code_of
from repatria.errors import Refused

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun
    from pydantic import BaseModel

POLL_S: Final = 2.0
INCOMPLETE: Final = 14


class NoDeployment(Refused):
    """The Prefect server does not know a deployment of this verb."""

    hint = "Register them: `prefect deploy --all --no-prompt`, then start a worker of the pool."


def follow(verb: str, request: BaseModel) -> int:
    """Run the deployment of ``verb``; return the exit code that its last state stands for."""
    run = _start(verb, request)
    say(f"Started {run.name}: {_link(run)}")
    try:
        last = _last(run.id)
    except KeyboardInterrupt:
        say("Left off watching. The run goes on at its worker; cancel it in the UI.")
        return INCOMPLETE
    assert last.state is not None, "a run that ended has a state"
    say(f"{last.state.name}. {last.state.message or ''}".strip())
    say(f"Summary and tables: {_link(last)}")
    return exit_code_of(last.state)


def _start(verb: str, request: BaseModel) -> FlowRun:
    parameters = {"request": request.model_dump(mode="json")}
    try:
        run = run_deployment(f"{verb}/{verb}", parameters=parameters, timeout=0, as_subflow=False)
    except ObjectNotFound as error:
        raise NoDeployment("the Prefect server has no such deployment", name=verb) from error
    return run  # type: ignore[return-value]


def _last(run: UUID) -> FlowRun:
    for seen in _states(run):
        if seen.state is not None and seen.state.is_final():
            return seen
    raise AssertionError("polling ends with a final state alone")


def _states(run: UUID) -> Iterator[FlowRun]:
    said = ""
    with get_client(sync_client=True) as client:
        while True:
            seen = client.read_flow_run(run)
            name = (seen.state.name if seen.state else "") or ""
            if name != said and not (seen.state and seen.state.is_final()):
                say(f"{name} …")
                said = name
            yield seen
            time.sleep(POLL_S)


def _link(run: FlowRun) -> str:
    base = PREFECT_UI_URL.value() or ""
    return f"{base}/runs/flow-run/{run.id}"
