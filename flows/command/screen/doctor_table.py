"""The doctor's findings: the verdict first, then what stands behind it, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from flows.command.screen.console import grid, out
from repatria.finding import Finding, Grade, verdict

REFUSED: Final = 10
_MARKS: Final = {
    Grade.WELL: "[green]✓ well[/]",
    Grade.NOTE: "[blue]i note[/]",
    Grade.CARE: "[yellow]! care[/]",
    Grade.ILL: "[red]✗ ill[/]",
}
_VERDICTS: Final = {
    Grade.WELL: "bold green",
    Grade.NOTE: "bold green",
    Grade.CARE: "bold yellow",
    Grade.ILL: "bold red",
}


def show(findings: Sequence[Finding]) -> None:
    """Print the verdict and the table."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    grade, says = verdict(findings)
    console = out()
    console.print()
    console.print(Text(says[:1].upper() + says[1:] + ".", style=_VERDICTS[grade]))
    console.print()
    order = list(Grade)
    notable = [finding for finding in findings if finding.grade is not Grade.WELL]
    if notable:
        table = grid()
        table.add_column("")
        table.add_column("About", overflow="fold")
        table.add_column("Seen", overflow="fold")
        table.add_column("What follows", style="dim", overflow="fold")
        for finding in sorted(notable, key=lambda it: -order.index(it.grade)):
            texts = (finding.about, finding.says, finding.means)
            table.add_row(_MARKS[finding.grade], *(Text(text) for text in texts))
        console.print(table)
    _well([finding for finding in findings if finding.grade is Grade.WELL])


def _well(findings: Sequence[Finding]) -> None:
    """Print what is well, a line for each site: it reassures, and should not fill a screen."""
    from rich.text import Text  # noqa: PLC0415 - only for what draws

    by_place: dict[str, list[str]] = {}
    for finding in findings:
        place, _, what = finding.about.partition(": ")
        by_place.setdefault(place if what else "here", []).append(what or place)
    table = grid()
    table.add_column("")
    table.add_column("Where", style="bold", no_wrap=True)
    table.add_column("Well", overflow="fold")
    for place, found in by_place.items():
        table.add_row("[green]✓[/]", Text(place), Text(", ".join(found)))
    if by_place:
        out().print(table)


def told(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as ``--json`` shows them."""
    grade, says = verdict(findings)
    return {
        "grade": grade.value,
        "verdict": says,
        "findings": [asdict(finding) | {"grade": finding.grade.value} for finding in findings],
    }


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 10 where something stands in the way, else 0."""
    return REFUSED if verdict(findings)[0] is Grade.ILL else 0
