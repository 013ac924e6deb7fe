"""How a verification ended: one line, the figures per dataset and region, and what differs."""

from __future__ import annotations

from typing import Final

from flows.command.screen.console import grid, out
from flows.command.screen.ending import show_points
from flows.report.numbers import count, duration
from flows.report.verification import ANY, Compared, VerifyOutcome, headline, points

_KINDS: Final = ("matched", "missing", "extra", "altered", "unverified")


def show(outcome: VerifyOutcome) -> None:
    """Print all of it."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    console = out()
    style = {0: "bold green", 11: "bold red"}.get(outcome.exit_code, "bold yellow")
    console.print()
    console.print(Text(headline(outcome), style=style))
    console.print()
    _matched(outcome)
    _differing(outcome)
    console.print(f"[dim]Took {duration(outcome.seconds)}; plan {outcome.plan[:12]}.[/]")
    show_points(points(outcome))
    console.print("\nNext: [cyan]repatria status[/]\n")


def _matched(outcome: VerifyOutcome) -> None:
    """Print how many records matched: regions down, datasets across."""
    matched = {(found.region, found.dataset): found.matched for found in outcome.sums}
    regions = sorted({region for region, _ in matched if region != ANY})
    datasets = sorted({dataset for _, dataset in matched})
    differing = {(f.region, f.dataset) for f in outcome.sums if _differs(f)}
    table = grid()
    table.add_column("Matched", style="bold")
    for dataset in datasets:
        table.add_column(dataset, justify="right", no_wrap=True)
    for region in regions:
        cells = [
            f"{count(matched.get((region, name)))} "
            + ("[red]✗[/]" if (region, name) in differing else "[green]✓[/]")
            if (region, name) in matched
            else ""
            for name in datasets
        ]
        table.add_row(region, *cells)
    out().print(table)


def _differing(outcome: VerifyOutcome) -> None:
    """Print whatever did not match, in full."""
    found = [one for one in outcome.sums if _differs(one)]
    if not found:
        return
    table = grid()
    table.add_column("Dataset", style="bold")
    table.add_column("Region")
    for kind in _KINDS:
        table.add_column(kind.title(), justify="right", no_wrap=True)
    for one in found:
        cells = [count(getattr(one, kind)) for kind in _KINDS]
        marked = [f"[red]{cell}[/]" if cell != "0" else cell for cell in cells[1:]]
        region = "not known" if one.region == ANY else one.region
        table.add_row(one.dataset, region, cells[0], *marked)
    out().print(table)


def _differs(found: Compared) -> bool:
    return any(getattr(found, kind) for kind in _KINDS[1:])
