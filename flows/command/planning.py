"""The command plan: makes plans, shows them, lists them."""

from __future__ import annotations

import typer

from flows.command.options import Datasets, Json, OnePlan, Regions, Remote
from flows.command.verb import ending, verb


def add_to(app: typer.Typer, panel: str) -> None:
    """Add this group."""
    group = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)
    group.callback(
        invoke_without_command=True,
        epilog=ending("repatria plan", "repatria plan --dataset profiles --region IE"),
    )(plan)
    group.command("show", epilog=ending("repatria plan show", "repatria plan show 3f9a01cc"))(show)
    group.command("list", epilog=ending("repatria plan list"))(list_)
    app.add_typer(group, name="plan", rich_help_panel=panel)


@verb
def plan(
    context: typer.Context,
    *,
    datasets: Datasets = None,
    regions: Regions = None,
    as_json: Json = False,
    remote: Remote = False,
) -> None:
    """List the sources and freeze what will be read: the plan that all else works from."""
    if context.invoked_subcommand is not None:
        return
    from flows.command.running import Asked, request_of, run  # noqa: PLC0415 - heavy imports wait
    from flows.parameters import PlanRequest  # noqa: PLC0415

    request = request_of(PlanRequest, datasets=datasets or [], regions=regions or [])
    made = run(
        Asked("plan", request, remote),
        lambda conductor: conductor.plan(request.datasets, request.regions),
    )
    _show(made, as_json=as_json)


@verb
def show(
    digest: OnePlan = None,
    *,
    as_json: Json = False,
) -> None:
    """Show one plan."""
    from flows.wiring import config_folder, open_house  # noqa: PLC0415 - heavy imports wait
    from repatria.errors import PlanRefused  # noqa: PLC0415
    from repatria.names import PlanDigest  # noqa: PLC0415

    with open_house(config_folder()) as house:
        found = house.ledger(read_only=True).plan(PlanDigest(digest) if digest else None)
    if found is None:
        raise PlanRefused("there is no such plan" if digest else "there is no plan yet")
    _show(found, as_json=as_json)


@verb
def list_(*, as_json: Json = False) -> None:
    """List the plans, the newest first."""
    from flows.command.screen import plan_tables  # noqa: PLC0415 - heavy imports wait
    from flows.command.screen.console import say_json  # noqa: PLC0415
    from flows.report.planned import told  # noqa: PLC0415
    from flows.wiring import config_folder, open_house  # noqa: PLC0415

    with open_house(config_folder()) as house:
        plans = house.ledger(read_only=True).plans()
        now = house.clock.now()
    if as_json:
        say_json([told(found) for found in plans])
    else:
        plan_tables.show_list(plans, now)


def _show(found: object, *, as_json: bool) -> None:
    from flows.command.screen import plan_tables  # noqa: PLC0415 - heavy imports wait
    from flows.command.screen.console import say_json  # noqa: PLC0415
    from flows.report.planned import told  # noqa: PLC0415
    from repatria.plan import Plan  # noqa: PLC0415

    assert isinstance(found, Plan), "a plan is made of planning"
    if as_json:
        say_json(told(found))
    else:
        plan_tables.show(found)
