"""The commands that move: rehearse and migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.command.options import Datasets, Json, PlanDigest, Regions, Remote, Sample
from flows.command.verb import ending, verb

if TYPE_CHECKING:
    from flows.command.running import Asked
    from flows.jobs import Order

CODES = (0, 1, 2, 10, 11, 12, 13, 14)


def add_to(app: typer.Typer, panel: str) -> None:
    """Add these commands."""
    app.command(
        rich_help_panel=panel,
        epilog=ending("repatria rehearse", "repatria rehearse --sample 5%", codes=CODES),
    )(rehearse)
    app.command(
        rich_help_panel=panel,
        epilog=ending(
            "repatria migrate", "repatria migrate --live --region IE --region NO", codes=CODES
        ),
    )(migrate)


@verb
def rehearse(
    *,
    plan: PlanDigest = None,
    datasets: Datasets = None,
    regions: Regions = None,
    sample: Sample = None,
    as_json: Json = False,
    remote: Remote = False,
) -> None:
    """Do everything that a migration does but write; ends in a report."""
    from flows.command.running import Asked, request_of  # noqa: PLC0415 - heavy imports wait
    from flows.jobs import Mode  # noqa: PLC0415
    from flows.parameters import RehearseRequest  # noqa: PLC0415

    request = request_of(
        RehearseRequest,
        plan=plan or "",
        datasets=datasets or [],
        regions=regions or [],
        sample_percent=100 if sample is None else sample * 100,
    )
    order = request.order(Mode.REHEARSAL, request.sample)
    _move(Asked("rehearse", request, remote), order, as_json=as_json)


@verb
def migrate(
    *,
    live: Annotated[
        bool,
        typer.Option(
            "--live", metavar="", help="Write to the home sites. Without it: a rehearsal."
        ),
    ] = False,
    plan: PlanDigest = None,
    datasets: Datasets = None,
    regions: Regions = None,
    as_json: Json = False,
    remote: Remote = False,
) -> None:
    """Move the records of the plan home. A rehearsal, unless you say [bold]--live[/].

    Starting is resuming: what has a receipt is not moved again, so that the same command carries
    on whatever ended before.
    """
    from flows.command.running import Asked, request_of  # noqa: PLC0415 - heavy imports wait
    from flows.command.screen.console import say  # noqa: PLC0415
    from flows.jobs import Mode  # noqa: PLC0415
    from flows.parameters import MigrateRequest  # noqa: PLC0415

    mode = Mode.LIVE if live else Mode.REHEARSAL
    if not live:
        say("This is a rehearsal: nothing is written. Say --live to move records.")
    request = request_of(
        MigrateRequest,
        mode=mode,
        plan=plan or "",
        datasets=datasets or [],
        regions=regions or [],
    )
    _move(Asked("migrate", request, remote), request.order(mode), as_json=as_json)


def _move(asked: Asked, order: Order, *, as_json: bool) -> None:
    from flows.command.running import run  # noqa: PLC0415 - heavy imports wait
    from flows.command.screen import ending as screen  # noqa: PLC0415
    from flows.command.screen.console import say_json  # noqa: PLC0415

    outcome = run(asked, lambda conductor: conductor.move(order))
    if as_json:
        say_json(outcome.told())
    else:
        screen.show(outcome)
    raise typer.Exit(outcome.exit_code)
