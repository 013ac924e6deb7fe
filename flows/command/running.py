"""Runs what a command asks for: in this process, as a flow of this process, or at a worker.

Without a Prefect API nothing of Prefect's is imported and no server is started. All three ways
end in the same engine function.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import typer

from flows.command.prefect_api import api_url, quiet, reach
from flows.command.screen.console import say
from flows.command.screen.progress import watching
from flows.command.stopping import stopped_by_signals
from flows.conduct import Conductor, Watches
from flows.jobs import Mode
from flows.onlooker import Onlooker
from flows.wiring import config_folder, open_house

if TYPE_CHECKING:
    from pydantic import BaseModel


Result = TypeVar("Result")
Request = TypeVar("Request", bound="BaseModel")


@dataclass(frozen=True, slots=True)
class Asked:
    """A verb, and what was asked of it."""

    verb: str
    request: BaseModel
    remote: bool = False

    @property
    def rehearsed(self) -> bool:
        """Whether nothing will be written, although it looks like moving."""
        return self.verb == "rehearse" or getattr(self.request, "mode", None) is Mode.REHEARSAL


def request_of(kind: type[Request], **given: object) -> Request:
    """Return the request of a command. A value that cannot be meant is a usage error."""
    from pydantic import ValidationError  # noqa: PLC0415 - slow

    try:
        return kind(**given)
    except ValidationError as error:
        told = "; ".join(_misunderstood(found) for found in error.errors())
        raise typer.BadParameter(told) from None


def _misunderstood(found: Mapping[str, Any]) -> str:
    field, *where = found["loc"]
    if found["type"] == "string_pattern_mismatch" and where:
        return f"{field}: a name is made of letters, digits, - and _, and of 63 at most"
    return f"{field}: {found['msg']}"


@contextmanager
def _watched(asked: Asked, stop: threading.Event) -> Iterator[Watches]:
    """Show a run, and let signals stop it."""
    with (
        stopped_by_signals(stop, say),
        watching(asked.verb, rehearsed=asked.rehearsed) as watcher,
    ):
        yield watcher


def run(asked: Asked, work: Callable[[Conductor], Result]) -> Result:
    """Do ``work``, as a flow run where there is an API. A remote run ends in ``typer.Exit``."""
    url = api_url()
    if asked.remote:
        if url is None:
            raise typer.BadParameter("--remote needs a Prefect API: set PREFECT_API_URL")
        quiet()
        from flows.command.remote import follow  # noqa: PLC0415 - imports Prefect

        reach(url)
        raise typer.Exit(follow(asked.verb, asked.request))
    stop = threading.Event()
    with _watched(asked, stop) as watcher:
        if url is None:
            with open_house(config_folder()) as house:
                return work(Conductor(house, watcher, stop=stop))
        reach(url)
        quiet()
        from flows.command.local import call  # noqa: PLC0415 - imports Prefect

        found = call(asked.verb, asked.request, Onlooker(watcher, stop))
        return cast(Result, found)
