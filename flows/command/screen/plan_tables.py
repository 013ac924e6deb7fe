"""A plan as tables: what each dataset holds and will take, and which regions it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from flows.command.screen.console import grid, out
from flows.report.numbers import count, duration, plural, size
from flows.report.planned import (
    PlannedRow,
    planned_regions,
    planned_rows,
    slices_of,
    warnings_of,
)
from repatria.plan import Plan

REGIONS_SHOWN: Final = 12
DAY: Final = len("2026-01-01")
_BAR: Final = 18


def show(plan: Plan) -> None:
    """Print one plan."""
    console = out()
    console.print(f"\n[bold]Plan {plan.digest[:12]}[/]")
    console.print(
        f"[dim]{plural(plan.slice_count, 'slice')} in {plural(plan.stripe_count, 'stripe')}, "
        f"{size(plan.bytes)} as they lie; valid until {plan.expires_at:%Y-%m-%d %H:%M} UTC[/]\n"
    )
    _datasets(plan)
    _regions(plan)
    for warning in warnings_of(plan):
        console.print(f"[yellow]![/] {warning}", markup=True)
    sampled = sum(slices_of(plan).values())
    if sampled:
        console.print("[dim]Records, shares, times and costs are estimates from a sample.[/]")
    console.print("\nNext: [cyan]repatria rehearse[/]\n")


def _datasets(plan: Plan) -> None:
    """Print facts down and datasets across: a plan has many facts and few datasets."""
    rows = planned_rows(plan)
    table = grid()
    table.add_column("", style="dim", no_wrap=True)
    for row in rows:
        table.add_column(row.dataset, justify="right", no_wrap=True)
    if len(rows) > 1:
        table.add_column("all", justify="right", style="bold", no_wrap=True)
    for name, cells in _facts(rows):
        table.add_row(name, *cells[: len(table.columns) - 1])
    out().print(table)
    if any(row.cost is None for row in rows):
        out().print("[dim]What it costs is not known: the configuration has no prices.[/]")


def _facts(rows: Sequence[PlannedRow]) -> Iterator[tuple[str, list[str]]]:
    """Yield each fact with its cells, the sum of all last."""
    plain: tuple[tuple[str, Callable[[float], str], str], ...] = (
        ("objects", lambda n: count(int(n)), "objects"),
        ("bytes as they lie", lambda n: size(int(n)), "bytes"),
        ("records, about", lambda n: count(int(n)), "rows"),
        ("would move, about", lambda n: count(int(n)), "moving"),
        ("  at least", lambda n: count(int(n)), "moving_low"),
        ("  at most", lambda n: count(int(n)), "moving_high"),
        ("parcels, about", lambda n: count(int(n)), "parcels"),
        ("requests, about", lambda n: count(int(n)), "requests"),
        ("reading, about", duration, "seconds"),
    )
    for name, written, field in plain:
        values = [getattr(row, field) for row in rows]
        yield name, [written(value) for value in (*values, sum(values))]
    costs = [row.cost for row in rows if row.cost is not None]
    if len(costs) == len(rows):
        money = [f"{cost:,.2f} {rows[0].currency}" for cost in (*costs, sum(costs))]
        yield "cost, about", money


def _regions(plan: Plan) -> None:
    regions = planned_regions(plan)
    names = sorted({name for region in regions for name in region.rows})
    table = grid()
    table.add_column("Region", style="bold")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Records", justify="right", no_wrap=True)
    table.add_column("")
    widest = max((sum(region.rows.values()) for region in regions), default=1)
    for region in regions[:REGIONS_SHOWN]:
        total = sum(region.rows.values())
        cells = (count(region.rows.get(name)) for name in names)
        table.add_row(region.region, *cells, count(total), f"[blue]{bar(total, widest)}[/]")
    if regions:
        out().print(table)
    unseen = len(plan.regions) - min(len(regions), REGIONS_SHOWN)
    if unseen:
        out().print(f"[dim]And {plural(unseen, 'region')} with fewer, or none in the sample.[/]")


def show_list(plans: Sequence[Plan], now: datetime) -> None:
    """Print a line per plan."""
    table = grid()
    table.add_column("Plan", no_wrap=True)
    for name in ("Made", "Valid until"):
        table.add_column(name, min_width=DAY)
    table.add_column("Datasets", overflow="fold")
    for name in ("Regions", "Slices", "Bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    for plan in plans:
        expired = " [red](expired)[/]" if plan.expires_at <= now else ""
        table.add_row(
            plan.digest[:12],
            f"{plan.made_at:%Y-%m-%d %H:%M}",
            f"{plan.expires_at:%Y-%m-%d %H:%M}{expired}",
            ", ".join(plan.datasets),
            count(len(plan.regions)),
            count(plan.slice_count),
            size(plan.bytes),
        )
    out().print(table if plans else "There is no plan yet: [cyan]repatria plan[/]")


def bar(part: float, whole: float, width: int = _BAR) -> str:
    """Draw a bar in eighths of a cell; something is never drawn as nothing."""
    eighths = round(8 * width * part / whole) if whole > 0 else 0
    eighths = max(1, eighths) if part > 0 else 0
    full, rest = divmod(min(eighths, 8 * width), 8)
    return "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")
