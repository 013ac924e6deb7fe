"""How a rehearsal or a migration ended: one line, the figures, what waits, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from flows.command.screen.console import grid, hung, out
from flows.report.numbers import NOTHING, count, duration, rate, size
from flows.report.outcome import Outcome
from flows.report.story import Point, headline, next_step, points

_KINDS: Final = ("read", "moved", "stayed", "quarantined", "superseded", "erased")


def show(outcome: Outcome) -> None:
    """Print all of it."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    console = out()
    style = "bold green" if outcome.exit_code == 0 else "bold yellow"
    console.print()
    console.print(Text(headline(outcome), style=style))
    console.print()
    _accounts(outcome)
    tally = outcome.tally
    console.print(
        f"[dim]This run read {count(tally['read'])} records ({size(tally['bytes_read'])}) in "
        f"{duration(outcome.seconds)}, {rate(outcome.rows_per_s)}; plan {outcome.plan[:12]}.[/]"
    )
    show_points(points(outcome))
    for path in outcome.reports[:1]:
        console.print("\nReport:", Text(_near(path)), soft_wrap=True)
    console.print(f"\nNext: [cyan]{next_step(outcome)}[/]\n")


def _accounts(outcome: Outcome) -> None:
    would = "Would move" if outcome.rehearsed else "Moved"
    heads = ("Read", would, "Stayed", "Quarantined", "Superseded", "Erased")
    table = grid()
    table.add_column("Dataset", style="bold")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for name, account in sorted(outcome.accounts.items()):
        cells = [count(account.get(kind)) for kind in _KINDS]
        if account.get("quarantined"):
            cells[3] = f"[yellow]{cells[3]}[/]"
        table.add_row(name, *cells)
    if outcome.accounts:
        out().print(table)
    else:
        out().print(f"Nothing was read {NOTHING} by this run or an earlier one.")


def show_points(found: Iterable[Point]) -> None:
    """Print what waits, each with what to do about it."""
    from rich.padding import Padding  # noqa: PLC0415 - only for what draws
    from rich.text import Text  # noqa: PLC0415

    listed = list(found)
    console = out()
    if listed:
        console.print("\n[bold]What waits[/]")
    for point in listed:
        console.print(hung("•", "yellow", Text(point.what), 1))
        for why in point.because:
            console.print(hung("·", "dim", Text(why, style="dim"), 3))
        for name in point.names:
            console.print(Padding(Text(name, style="dim"), (0, 0, 0, 5)))
        if point.todo:
            console.print(hung("→", "cyan", Text(point.todo), 3))


def _near(path: str) -> str:
    """Name a file from here if it is below here, else in full."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
