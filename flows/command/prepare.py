"""The commands that come first: init and doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.command.options import Json
from flows.command.verb import ending, verb


def add_to(app: typer.Typer, panel: str) -> None:
    """Add these commands."""
    app.command(rich_help_panel=panel, epilog=ending("repatria init"))(init)
    app.command(
        rich_help_panel=panel,
        epilog=ending("repatria doctor", "repatria doctor --no-probe --json"),
    )(doctor)


@verb
def init() -> None:
    """Make the state folder, the secret key and the ledger; harmless to repeat."""
    from flows.command.screen.console import say  # noqa: PLC0415 - heavy imports wait
    from flows.preparing import init as make  # noqa: PLC0415
    from flows.wiring import config_folder, open_house  # noqa: PLC0415

    with open_house(config_folder()) as house:
        for line in make(house):
            say(line[:1].upper() + line[1:] + ".")
    say("Next: repatria doctor")


@verb
def doctor(
    *,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe",
            metavar="",
            help="Try the promises of European stores with tiny objects under a reserved key.",
        ),
    ] = True,
    as_json: Json = False,
) -> None:
    """Look at this machine and at every store: what is there, allowed, and honoured."""
    from flows.command.screen import doctor_table  # noqa: PLC0415 - heavy imports wait
    from flows.command.screen.console import say_json  # noqa: PLC0415
    from flows.preparing import examine  # noqa: PLC0415
    from flows.wiring import config_folder, open_house  # noqa: PLC0415

    with open_house(config_folder()) as house:
        findings = examine(house, probing=probe)
    if as_json:
        say_json(doctor_table.told(findings))
    else:
        doctor_table.show(findings)
    raise typer.Exit(doctor_table.exit_code(findings))
