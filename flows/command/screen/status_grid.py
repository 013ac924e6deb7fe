"""Where everything stands: regions by datasets with bars, rate, what is left, and what waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flows.command.screen.console import grid, out
from flows.command.screen.plan_tables import bar
from flows.report.numbers import NOTHING, count, duration, plural, rate, share, size
from flows.report.reasons import of_object
from repatria.ports.ledger import RunState
from repatria.status import Cell, Status

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from repatria.plan import Plan

BAR: Final = 10
WIDE: Final = 10_000
"""Columns of a screen on which everything fits."""
FAILURES_SHOWN: Final = 10


def show(status: Status) -> None:
    """Print one look."""
    for part in parts(status):
        out().print(part)


def watch(look: Callable[[], Status], pause: Callable[[], None]) -> None:
    """Print look after look, in place, until Ctrl-C."""
    from rich.console import Group  # noqa: PLC0415 - only for what draws
    from rich.live import Live  # noqa: PLC0415

    first = look()
    with Live(Group(*parts(first)), console=out(), screen=False, auto_refresh=False) as live:
        try:
            while True:
                pause()
                live.update(Group(*parts(look(), first)), refresh=True)
        except KeyboardInterrupt:
            return


def parts(status: Status, first: Status | None = None) -> list[RenderableType]:
    """Return what there is to see. ``first`` is an earlier look, to tell a rate from."""
    if status.plan is None:
        return ["\nThere is no plan yet: [cyan]repatria plan[/]\n"]
    shown: list[RenderableType] = ["", *_head(status, first), _fitting(status)]
    shown += [f"[yellow]![/] {line}" for line in _waits(status)]
    return [*shown, ""]


def _head(status: Status, first: Status | None) -> list[str]:
    plan, run = status.plan, status.run
    assert plan is not None, "without a plan there is nothing to show"
    moved, expected = _moved(status), _expected(status)
    per_second = pace(status, first)
    extent = f"{_stripes(status, plan)}, {size(plan.bytes)} to read"
    lines = [
        f"[bold]Plan {plan.digest[:12]}[/]  [dim]{extent}[/]",
        f"{count(moved)} of about {count(expected)} records at home, {share(moved, expected or 0)}",
    ]
    if run is not None:
        state = "running" if run.state is RunState.RUNNING else f"last run {run.state.value}"
        state = "cut short: its process is gone" if status.gone else state
        lines.append(f"[dim]{state}, begun {run.began_at:%Y-%m-%d %H:%M} UTC[/]")
    if per_second:
        left = max(0, (expected or 0) - moved) / per_second
        ahead = f", about {duration(left)} left" if _under_way(status) else ""
        lines.append(f"[dim]{rate(per_second)}{ahead}[/]")
    if status.verification is not None:
        when = status.verification.began_at
        says = f"verification {status.verification.state.value}, {when:%Y-%m-%d %H:%M} UTC"
        lines.append(f"[dim]{says}[/]")
    return lines


def _stripes(status: Status, plan: Plan) -> str:
    """Tell how many stripes are done, unless some of them may be done for a few regions alone."""
    told = plural(plan.stripe_count, "stripe")
    if any(cell.rows < (cell.expected or 0) for cell in status.cells):
        return told
    return f"{count(status.stripes_done)} of {told} done"


def pace(status: Status, first: Status | None) -> float | None:
    """Return records moved per second between two looks, else those of the last run."""
    if first is not None and _under_way(status):
        seconds = (status.at - first.at).total_seconds()
        return (_moved(status) - _moved(first)) / seconds if seconds > 0 else None
    return status.rows_per_s


def _under_way(status: Status) -> bool:
    run = status.run
    return run is not None and run.state is RunState.RUNNING and not status.gone


def _moved(status: Status) -> int:
    return sum(cell.rows for cell in status.cells)


def _expected(status: Status) -> int | None:
    known = [cell.expected for cell in status.cells if cell.expected is not None]
    return sum(known) if known else None


def _fitting(status: Status) -> Table:
    """Return the table with its bars, or without where the screen is too narrow for them."""
    from rich.measure import Measurement  # noqa: PLC0415 - only for what draws

    console, table = out(), _grid(status, BAR)
    wide = console.options.update(max_width=WIDE)
    if Measurement.get(console, wide, table).maximum <= console.width:
        return table
    return _grid(status, 0)


def _grid(status: Status, width: int) -> Table:
    datasets = sorted({cell.dataset for cell in status.cells})
    cells = {(cell.region, cell.dataset): cell for cell in status.cells}
    table = grid()
    table.add_column("Region", style="bold", no_wrap=True)
    for name in datasets:
        table.add_column(name, no_wrap=True)
    table.add_column("Waiting", justify="right", no_wrap=True)
    for region in sorted({cell.region for cell in status.cells}):
        waiting = sum(rows for (_, _, where), rows in status.waiting.items() if where == region)
        told = (_cell(cells.get((region, name)), width) for name in datasets)
        table.add_row(region, *told, f"[yellow]{count(waiting)}[/]" if waiting else NOTHING)
    return table


def _cell(cell: Cell | None, width: int) -> str:
    if cell is None:
        return f"[dim]{NOTHING}[/]"
    whole = max(cell.expected or 0, cell.rows)
    drawn = bar(cell.rows, whole, width).ljust(width, "·")
    mark = ""
    if cell.differing:
        mark = " [red]✗[/]"
    elif cell.verified is not None and cell.verified >= cell.rows > 0:
        mark = " [green]✓[/]"
    return (f"[blue]{drawn}[/] " if width else "") + count(cell.rows) + mark


def _waits(status: Status) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415 - only for what draws

    told = []
    if status.gone:
        told.append("nobody works any more: start the run again, and it carries on at once")
    if waiting := sum(status.waiting.values()):
        told.append(f"{plural(waiting, 'record')} in quarantine: repatria quarantine list")
    if status.failures:
        told.append(f"{plural(len(status.failures), 'object')} could not be finished:")
        told += [
            escape(
                f"  {failure.label} ({failure.kind.value}): {of_object(failure.kind.value).todo}"
            )
            for failure in status.failures[:FAILURES_SHOWN]
        ]
    if status.unverified:
        told.append(f"{plural(status.unverified, 'slice')} could not be verified")
    return told
