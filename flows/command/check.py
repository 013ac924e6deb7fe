"""The commands that look: verify and status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from flows.command.options import Datasets, Json, PlanDigest, Regions, Remote
from flows.command.verb import ending, verb

if TYPE_CHECKING:
    from repatria.status import Status

WATCH_S: Final = 2.0


def add_to(app: typer.Typer, panel: str) -> None:
    """Add these commands."""
    app.command(
        rich_help_panel=panel,
        epilog=ending(
            "repatria verify", "repatria verify --region DE", codes=(0, 1, 2, 10, 11, 12, 14)
        ),
    )(verify)
    app.command(rich_help_panel=panel, epilog=ending("repatria status", "repatria status --watch"))(
        status
    )


@verb
def verify(
    *,
    plan: PlanDigest = None,
    datasets: Datasets = None,
    regions: Regions = None,
    as_json: Json = False,
    remote: Remote = False,
) -> None:
    """Read both sides anew and compare them, record by record."""
    from flows.command.running import Asked, request_of, run  # noqa: PLC0415 - heavy imports wait
    from flows.command.screen import verified  # noqa: PLC0415
    from flows.command.screen.console import say_json  # noqa: PLC0415
    from flows.jobs import Mode  # noqa: PLC0415
    from flows.parameters import VerifyRequest  # noqa: PLC0415

    request = request_of(
        VerifyRequest, plan=plan or "", datasets=datasets or [], regions=regions or []
    )
    order = request.order(Mode.LIVE)
    outcome = run(Asked("verify", request, remote), lambda conductor: conductor.verify(order))
    if as_json:
        say_json(outcome.told())
    else:
        verified.show(outcome)
    raise typer.Exit(outcome.exit_code)


@verb
def status(
    *,
    watch: Annotated[
        bool,
        typer.Option("--watch", metavar="", help="Look again every other second, until Ctrl-C."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how far each region has come: progress, rate, what is left, what waits."""
    from flows.command.screen import status_grid  # noqa: PLC0415 - heavy imports wait
    from flows.command.screen.console import say_json  # noqa: PLC0415
    from flows.wiring import config_folder, open_house  # noqa: PLC0415
    from repatria.status import gather, told  # noqa: PLC0415

    with open_house(config_folder()) as house:
        ledger = house.ledger(read_only=True)

        def look() -> Status:
            return gather(ledger, house.clock.now(), house.is_dead)

        if as_json:
            say_json(told(look()))
        elif watch:
            status_grid.watch(look, lambda: house.clock.sleep(WATCH_S))
        else:
            status_grid.show(look())
