"""How the demonstration looks: a heading per command, a verdict, and where to look next."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.padding import Padding
from rich.text import Text

from flows.command.screen.console import grid, out
from flows.report.numbers import count, plural
from flows.world.steps import Step
from flows.world.tally import Seeded
from flows.world.verdict import Check
from repatria.errors import RepatriaError


def welcome() -> None:
    """Say what is about to happen."""
    out().print(
        "\n[bold]Repatria[/] moves user records home, and proves it. This is all of it in small:\n"
        "five S3 sites on loopback, the main job from plan to proof, and a verdict.\n"
    )
    sys.stdout.flush()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that something takes its time: a spinner on a terminal, a line elsewhere."""
    console = out()
    if not console.is_terminal:
        console.print(f"{what} …")
        yield
        return
    with console.status(f"{what} …"):
        yield


def ends_the_old() -> None:
    """Say that a world of an earlier time still ran."""
    out().print("[dim]An embedded world still runs here; it ends, and a clean one begins.[/]")


def filled(seeded: Seeded) -> None:
    """Say what lies in the world."""
    records = sum(account.read for account in seeded.datasets.values())
    moving = sum(sum(account.moved.values()) for account in seeded.datasets.values())
    out().print(
        f"Five S3 sites run on this machine: us-east and its backup singapore hold "
        f"{plural(seeded.users, 'user')} of 40 countries, {plural(records, 'record')} in all; "
        f"dublin-1, dublin-2 and hamar are empty. {count(moving)} of the records belong in "
        "Europe. A few are bad, the backup is stale in places, and one object is broken: "
        "as in life."
    )


def heading(step: Step, number: int, steps: int) -> None:
    """Announce a command."""
    console = out()
    title = Text.assemble(
        (f" {number}/{steps}  ", "dim"), (f"repatria {step.command} ", "bold cyan")
    )
    console.print()
    console.rule(title, align="left", style="cyan")
    console.print(Text(step.purpose, style="italic"))
    sys.stdout.flush()


def ended(step: Step) -> None:
    """Explain an end that is not plainly good."""
    if step.ends:
        out().print(Text(f"Exit {step.ends}, as it must be: {step.because}.", style="dim"))
    sys.stdout.flush()


def verdict(checks: Sequence[Check]) -> None:
    """Show what agrees with what was laid down, and what does not."""
    console = out()
    console.print()
    console.rule(Text(" The verdict ", style="bold cyan"), align="left", style="cyan")
    console.print(Text("What was laid down, and what became of it.", style="italic"))
    table = grid()
    table.add_column("")
    table.add_column("Laid down", justify="right", no_wrap=True)
    table.add_column("Found", justify="right", no_wrap=True)
    table.add_column("")
    for check in checks:
        mark = "[green]✓[/]" if check.agrees else "[red]✗[/]"
        table.add_row(check.what, count(check.expected), count(check.found), mark)
    console.print(table)
    for check in checks:
        for line in check.differs:
            console.print(Padding(Text(f"{check.what}: {line}", style="red"), (0, 0, 0, 2)))
    console.print(_sentence(checks))


def _sentence(checks: Sequence[Check]) -> Text:
    wrong = sum(not check.agrees for check in checks)
    if wrong:
        return Text(f"{plural(wrong, 'count')} not as it must be.", style="bold red")
    return Text("Every record is accounted for, and stands where it belongs.", style="bold green")


def where_next(folder: Path, config: Path) -> None:
    """Say that the world has ended, and where to look."""
    console = out()
    console.print("\n[bold]Where to look next[/]")
    reports = sorted((folder / "state" / "reports").glob("*.html"))
    told = [(_near(report), "the rehearsal's report, in a browser") for report in reports[-1:]]
    told += [
        ("make ui", "the same in Prefect's UI, ready to click"),
        (f"REPATRIA_CONFIG={_near(config)} .venv/bin/repatria status", "look again"),
        (".venv/bin/repatria --help", "all commands"),
        ("docs/  config/", "how it works, and how to begin with your own data"),
    ]
    for what, why in told:
        console.print(Padding(Text(what, style="cyan"), (0, 0, 0, 2)), soft_wrap=True)
        console.print(Padding(Text(why, style="dim"), (0, 0, 0, 6)))
    console.print("\nThe world has ended; its ledger and reports stay until the next time.\n")


def stopped() -> None:
    """Say that it ended because somebody asked."""
    out().print("\nStopped, as asked. The embedded world has ended.\n")


def failed(error: RepatriaError) -> None:
    """Say why it ended early."""
    console = out()
    console.print(Text(f"\n{error}", style="bold red"))
    console.print(Text(f"→ {error.hint}\n"))


def _near(path: Path) -> str:
    return os.path.relpath(path)
