"""How a verification ended: one line, the figures per dataset and region, and what differs."""

from __future__ import annotations

from typing import Final

from flows.command.screen.console import grid, out
from flows.command.screen.ending import show_points
from flows.report.numbers import count, duration
from flows.report.verification import VerifyOutcome, headline, points

_KINDS: Final = ("matched", "missing", "extra", "altered", "unverified")
WHYS_SHOWN: Final = 20


def show(outcome: VerifyOutcome) -> None:
    """Print all of it."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    console = out()
    style = {0: "bold green", 11: "bold red"}.get(outcome.exit_code, "bold yellow")
    console.print()
    console.print(Text(headline(outcome), style=style))
    console.print()
    table = grid()
    table.add_column("Dataset", style="bold")
    table.add_column("Region")
    for kind in _KINDS:
        table.add_column(kind.title(), justify="right", no_wrap=True)
    for found in outcome.sums:
        cells = [count(getattr(found, kind)) for kind in _KINDS]
        marked = [f"[red]{cell}[/]" if cell != "0" else cell for cell in cells[1:]]
        region = "not known" if found.region == "*" else found.region
        table.add_row(found.dataset, region, cells[0], *marked)
    console.print(table)
    console.print(f"[dim]Took {duration(outcome.seconds)}; plan {outcome.plan[:12]}.[/]")
    show_points(points(outcome))
    for why in outcome.whys[:WHYS_SHOWN]:
        console.print(Text(f"     {why}", style="dim"))
    console.print("\nNext: [cyan]repatria status[/]\n")
