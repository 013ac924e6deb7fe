"""The doctor's findings: the verdict first, then what stands behind it, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from flows.command.screen.console import grid, out
from repatria.doctor import Finding, Grade, verdict

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
    table = grid()
    table.add_column("")
    table.add_column("About", overflow="fold")
    table.add_column("Seen", overflow="fold")
    table.add_column("What follows", style="dim", overflow="fold")
    order = list(Grade)
    for finding in sorted(findings, key=lambda it: -order.index(it.grade)):
        texts = (finding.about, finding.says, finding.means)
        table.add_row(_MARKS[finding.grade], *(Text(text) for text in texts))
    console.print(table)


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
