"""Assembles the command line. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated, Final

import typer

from flows.command.check import add_to as add_checks
from flows.command.move import add_to as add_moves
from flows.command.planning import add_to as add_plans
from flows.command.prepare import add_to as add_preparations
from flows.command.quarantine import add_to as add_quarantine

PREPARE: Final = "Prepare"
MOVE: Final = "Move"
CHECK: Final = "Check"

app = typer.Typer(
    name="repatria",
    help=(
        "Moves user records home: planned, rehearsed, verified, and provable.\n\n"
        "Begin with [cyan]init[/], then [cyan]doctor[/]. Whatever writes to a store is a rehearsal "
        "unless you say [cyan]--live[/]."
    ),
    epilog="Each command tells more: [cyan]repatria migrate --help[/]. The manual is in docs/.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)
add_preparations(app, PREPARE)
add_plans(app, PREPARE)
add_moves(app, MOVE)
add_checks(app, CHECK)
add_quarantine(app, CHECK)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        typer.echo(f"repatria {metadata.version('repatria')}")
        raise typer.Exit


@app.callback()
def repatria(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_say_version,
            is_eager=True,
            help="Print the version, and exit.",
        ),
    ] = False,
) -> None:
    """Stand above all commands."""


def main() -> None:
    """Run the command that the arguments name."""
    app(prog_name="repatria")
