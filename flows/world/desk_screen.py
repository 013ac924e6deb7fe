"""What ``make ui`` and ``make down`` say."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.text import Text

from flows.command.screen.console import err, out
from repatria.errors import RepatriaError

if TYPE_CHECKING:
    from flows.world.desk import Desk

LINES_SHOWN: Final = 20


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show that something takes its time: a spinner on a terminal, a line elsewhere."""
    console = out()
    if not console.is_terminal:
        console.print(f"{what} …")
        sys.stdout.flush()
        yield
        return
    with console.status(f"{what} …"):
        yield
    console.print(f"[green]✓[/] {what}")


def runs_already() -> None:
    """Say that there was nothing to do."""
    out().print("Everything runs already.")


def ready(desk: Desk) -> None:
    """Say where to click, what to click, and how to stop."""
    console = out()
    near = os.path.relpath(desk.folder)
    console.print(Text.assemble("\nPrefect's UI: ", (f"{desk.url}/deployments", "bold cyan")))
    for number, line in enumerate(
        (
            "Choose the deployment [bold]migrate[/], then Run → Custom run.",
            "Leave Mode at [bold]rehearsal[/] and submit; follow the run, then open its Artifacts.",
            "Run it again with Mode [bold]live[/]: records move home. Then run [bold]verify[/].",
        ),
        1,
    ):
        console.print(Padding(f"{number}. {line}", (0, 0, 0, 2)))
    console.print(
        "A run that leaves bad records waiting ends Incomplete, as it should: never green."
    )
    console.print(f"\nCommands for the same world:  [cyan]. {near}/env[/]")
    console.print("                              [cyan].venv/bin/repatria status[/]")
    console.print(
        f"Logs: {near}/server.log, {near}/worker.log.  Stop all of it: [cyan]make down[/]\n"
    )


def ended(*, anything: bool) -> None:
    """Say what was stopped."""
    told = "The server, the worker and their world have ended." if anything else "Nothing ran."
    out().print(told)


def said(text: str) -> None:
    """Show the last lines of a command that failed."""
    for line in text.splitlines()[-LINES_SHOWN:]:
        err().print(Text(line, style="dim"))


def failed(error: RepatriaError) -> None:
    """Say why it could not be done."""
    err().print(Text(f"{error}", style="bold red"))
    err().print(Text(f"→ {error.hint}"))
