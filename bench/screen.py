"""What a person sees of a benchmark: tables, the goals, the machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.rounds import Figures, Run

console: Final = Console(
    highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120
)


def heard(run: Run) -> None:
    """Tell of a run as it ends."""
    took = run.measured
    console.print(
        f"  round {run.round + 1}  {run.contender:<16} {took.wall_s:7.2f} s wall "
        f"{took.cpu_s:7.2f} s CPU {took.peak_bytes / 1e6:6.0f} MB"
    )


def table(title: str, all_figures: Sequence[Figures]) -> None:
    """Show medians; ratios are to the first line that is not verified, as wall / CPU."""
    shown = Table(title=title, title_justify="left")
    shown.add_column("contender")
    for name in ("wall s", "CPU s", "peak MB", "server CPU s", "rows/s", "rows/CPU s", "ratios"):
        shown.add_column(name, justify="right")
    against = next((one for one in all_figures if not one.verifies), all_figures[0])
    for one in all_figures:
        shown.add_row(
            one.contender + (" (verified)" if one.verifies else ""),
            f"{one.wall_s:.2f}",
            f"{one.cpu_s:.2f}",
            f"{one.peak_bytes / 1e6:.0f}",
            f"{one.server_cpu_s:.2f}",
            f"{one.rows_per_s:,.0f}".replace(",", " "),
            f"{one.rows_per_cpu_s:,.0f}".replace(",", " "),
            f"{one.wall_s / against.wall_s:.2f} / {one.cpu_s / against.cpu_s:.2f}",
        )
    console.print(shown)
