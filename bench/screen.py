"""What a person sees of a benchmark: runs as they end, tables, goals, the machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.goals import Goal
from bench.memory import Peak
from bench.orchestration import Share
from bench.rounds import Figures, Run
from bench.seed import Seeded

_WIDTH: Final = 120
console: Final = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)


def heard(run: Run) -> None:
    """Tell of a run as it ends."""
    took = run.measured
    console.print(
        f"  round {run.round + 1}  {run.contender:<14} {took.wall_s:7.2f} s wall "
        f"{took.cpu_s:7.2f} s CPU {took.peak_bytes / 1e6:6.0f} MB"
    )


def peaked(peak: Peak) -> None:
    """Tell of a measurement of memory as it ends."""
    console.print(
        f"  {peak.form:<8} {peak.stored_bytes / 1e6:5.0f} MB  {peak.setting:<8} "
        f"plan {peak.plan_bytes / 1e6:5.0f} MB  migrate {peak.peak_bytes / 1e6:5.0f} MB "
        f"(largest {peak.largest_bytes / 1e6:5.0f})  {peak.wall_s:6.1f} s wall "
        f"{peak.cpu_s:6.1f} s CPU"
    )


def shared(found: Share) -> None:
    """Tell of what ledger and door cost."""
    dearest = sorted(found.ledger.items(), key=lambda item: -item[1])[:4]
    calls = ", ".join(f"{name} {1000 * cpu_s / found.batches:.2f}" for name, cpu_s in dearest)
    console.print(
        f"  {found.batches} batches of {found.rows} rows: {found.cpu_s:.1f} s CPU, of which ledger "
        f"{found.ledger_cpu_s:.2f}, door {found.door_cpu_s:.2f}; to start takes "
        f"{found.start_cpu_s:.1f}, apart\n  CPU ms of the ledger for a batch: {calls}"
    )


def table(data: Seeded, figures: Sequence[Figures]) -> None:
    """Show medians, and at the right of each how they are to the first that does not verify."""
    mb = data.stored_bytes / 1e6
    against = next((one for one in figures if not one.verifies), figures[0])
    shown = Table(
        title=f"{data.shape.form}: {spaced(data.rows)} rows, {mb:.0f} MB",
        title_justify="left",
        caption=f"÷ {against.contender}",
        caption_justify="right",
    )
    shown.add_column("contender", no_wrap=True)
    names = ("wall s", "CPU s", "peak MB", "server s", "rows/s", "rows/CPU s", "wall ÷", "CPU ÷")
    for name in names:
        shown.add_column(name, justify="right", no_wrap=True)
    for one in figures:
        shown.add_row(
            one.contender + (" (verified)" if one.verifies else ""),
            f"{one.wall_s:.2f}",
            f"{one.cpu_s:.2f}",
            f"{one.peak_bytes / 1e6:.0f}",
            f"{one.server_cpu_s:.2f}",
            spaced(one.rows_per_s),
            spaced(one.rows_per_cpu_s),
            f"{one.wall_s / against.wall_s:.2f}",
            f"{one.cpu_s / against.cpu_s:.2f}",
        )
    console.print(shown)
    for one in figures:
        if one.before_wall_s:
            console.print(f"  {one.contender}: planning took {one.before_wall_s:.1f} s, apart")


def judged(goals: Sequence[Goal]) -> bool:
    """Show the goals; return whether all were reached."""
    shown = Table(title="To reach", title_justify="left")
    for name in ("goal", "limit", "figure", "", "as measured"):
        shown.add_column(name, justify="right" if name in ("limit", "figure") else "left")
    for goal in goals:
        mark = "reached" if goal.reached else "[red]missed[/]"
        shown.add_row(goal.text, f"{goal.limit:g}", f"{goal.figure:.3g}", mark, goal.told)
    if goals:
        console.print(shown)
    return all(goal.reached for goal in goals)


def spaced(number: float) -> str:
    """Return a number in groups of three."""
    return f"{number:,.0f}".replace(",", " ")
