"""Calls a flow in the command's own process, so that the UI shows what the terminal shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from flows.command.screen.console import say
from flows.migrate import migrate
from flows.onlooker import Onlooker, watched_by
from flows.plan import plan
from flows.rehearse import rehearse
from flows.stage import exit_code_of
from flows.verify import verify

if TYPE_CHECKING:
    from pydantic import BaseModel

FLOWS = {"plan": plan, "rehearse": rehearse, "migrate": migrate, "verify": verify}


def call(verb: str, request: BaseModel, onlooker: Onlooker) -> object:
    """Return what the flow came to. Raises what it raised."""
    with watched_by(onlooker):
        state = FLOWS[verb](request, return_state=True)  # type: ignore[operator]
    if onlooker.error is not None:
        raise onlooker.error
    if onlooker.result is not None:
        return onlooker.result
    found = state.result(raise_on_failure=False)
    if isinstance(found, Exception):
        raise found
    say(f"{state.name}: {state.message}")
    raise typer.Exit(exit_code_of(state))
