"""The two consoles: results go to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text


def out() -> Console:
    """Return the console of results."""
    from rich.console import Console  # noqa: PLC0415 - only for what draws

    return Console(highlight=False)


@cache
def err() -> Console:
    """Return the console of progress and remarks."""
    from rich.console import Console  # noqa: PLC0415 - only for what draws

    return Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Say one line that is no result."""
    typer.echo(line, err=True)


def say_json(value: Mapping[str, Any] | list[Any]) -> None:
    """Print a result as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def grid(title: str = "") -> Table:
    """Return an empty table in the house's style."""
    from rich import box  # noqa: PLC0415 - only for what draws
    from rich.table import Table  # noqa: PLC0415

    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        header_style="dim",
        pad_edge=False,
        row_styles=("", ""),
    )


def hung(mark: str, style: str, text: Text, indent: int) -> Padding:
    """Return a paragraph that hangs from its mark: later lines begin where the first one does."""
    from rich.padding import Padding  # noqa: PLC0415 - only for what draws
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(Text(mark, style=style), text)
    return Padding(table, (0, 0, 0, indent))
