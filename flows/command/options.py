"""Options that several commands share, each declared once."""

from __future__ import annotations

from string import hexdigits
from typing import Annotated

import typer

Datasets = Annotated[
    list[str] | None,
    typer.Option("--dataset", metavar="NAME", help="Only this dataset; may be repeated."),
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="NAME", help="Only this region; may be repeated."),
]


def digest(text: str) -> str:
    """Read the beginning of a plan's digest. Raises ``BadParameter``."""
    if not 8 <= len(text) <= 64 or set(text.lower()) - set(hexdigits):
        raise typer.BadParameter(
            "a plan is named by at least 8 hexadecimal digits of its digest; "
            "`repatria plan list` shows them"
        )
    return text.lower()


PlanDigest = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="DIGEST",
        parser=digest,
        help="Beginning of a plan's digest (8+); default: the newest.",
    ),
]
OnePlan = Annotated[
    str | None,
    typer.Argument(
        metavar="DIGEST",
        parser=digest,
        help="Beginning of a digest (8+); default: the newest plan.",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", metavar="", help="Print JSON, in the shape of docs/json.md, and no table."
    ),
]
Remote = Annotated[
    bool,
    typer.Option(
        "--remote", metavar="", help="Let a Prefect worker run it, and follow it to its end."
    ),
]
By = Annotated[
    str | None, typer.Option("--by", metavar="WHO", help="Who decides; default: your login name.")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; kept with the decision.")]
Numbers = Annotated[
    list[int] | None,
    typer.Argument(metavar="ID", help="Entries, by the number that `list` shows."),
]
OneDataset = Annotated[
    str | None, typer.Option("--dataset", metavar="NAME", help="All entries of this dataset.")
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="REASON", help="All entries for this reason.")
]


def percent(text: str) -> float:
    """Read "5%", "5" or "0.5%" as a fraction in (0, 1]. Raises ``BadParameter``."""
    try:
        value = float(text.removesuffix("%").strip()) / 100
    except ValueError:
        raise typer.BadParameter("expected a percentage, such as 5%") from None
    if not 0 < value <= 1:
        raise typer.BadParameter("expected more than 0% and at most 100%")
    return value


Sample = Annotated[
    float | None,
    typer.Option(
        "--sample",
        metavar="PERCENT",
        parser=percent,
        help="Read only this share of the slices, such as 5%.",
    ),
]
