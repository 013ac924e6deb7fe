"""A plan as tables: what each dataset holds and will take, and which regions it is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from flows.command.screen.console import grid, out
from flows.report.numbers import NOTHING, count, duration, plural, size, span
from flows.report.planned import (
    PlannedRow,
    planned_regions,
    planned_rows,
    slices_of,
    warnings_of,
)
from repatria.plan import Plan

REGIONS_SHOWN: Final = 40
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
    rows = planned_rows(plan)
    table = grid()
    table.add_column("Dataset", style="bold", no_wrap=True)
    priced = any(row.cost is not None for row in rows)
    heads = ["Objects", "Bytes", "Records", "Moving", "Parcels", "Requests", "Reading"]
    for name in [*heads, "Cost"] if priced else heads:
        table.add_column(name, justify="right", no_wrap=True)
    width = len(table.columns) - 1
    for row in rows:
        table.add_row(row.dataset, *_cells(row)[:width])
    if len(rows) > 1:
        table.add_section()
        table.add_row("all", *_total(rows)[:width], style="bold")
    out().print(table)
    if not priced:
        out().print("[dim]What it costs is not known: the configuration has no prices.[/]")


def _cells(row: PlannedRow) -> tuple[str, ...]:
    cost = NOTHING if row.cost is None else f"{row.cost:.2f} {row.currency}"
    return (
        count(row.objects),
        size(row.bytes),
        count(row.rows),
        _moving(row.moving, row.moving_low, row.moving_high),
        count(row.parcels),
        count(row.requests),
        duration(row.seconds),
        cost,
    )


def _total(rows: Sequence[PlannedRow]) -> tuple[str, ...]:
    costs = [row.cost for row in rows]
    known = [cost for cost in costs if cost is not None]
    whole = f"{sum(known):.2f} {rows[0].currency}" if len(known) == len(rows) else NOTHING
    return (
        count(sum(row.objects for row in rows)),
        size(sum(row.bytes for row in rows)),
        count(sum(row.rows for row in rows)),
        _moving(
            sum(row.moving for row in rows),
            sum(row.moving_low for row in rows),
            sum(row.moving_high for row in rows),
        ),
        count(sum(row.parcels for row in rows)),
        count(sum(row.requests for row in rows)),
        duration(sum(row.seconds for row in rows)),
        whole,
    )


def _moving(rows: int, low: int, high: int) -> str:
    return count(rows) if low == high else f"{count(rows)}\n[dim]{span(low, high)}[/]"


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
        out().print(f"[dim]And {plural(unseen, 'region')} of which the sample shows less.[/]")


def show_list(plans: Sequence[Plan], now: datetime) -> None:
    """Print a line per plan."""
    table = grid()
    for name in ("Plan", "Made", "Valid until", "Datasets", "Regions", "Slices", "Bytes"):
        table.add_column(name, overflow="fold")
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
