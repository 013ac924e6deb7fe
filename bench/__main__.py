"""The benchmark's command line: ``python -m bench parquet --rounds 3 --mb 1000``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from bench import machine, screen
from bench.household import ROOT
from bench.roster import contenders
from bench.rounds import figures, rounds
from bench.seed import Form, Shape, seeded

FOLDER: Final = ROOT / ".world" / "bench"


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for."""
    asked = _parser().parse_args(arguments)
    under: Path = asked.folder
    under.mkdir(parents=True, exist_ok=True)
    form = Form(asked.contest)
    among = contenders(form, asked.only)
    with screen.console.status(f"Making {asked.mb:.0f} MB of {form}"):
        data = seeded(Shape.of_mb(form, asked.mb), under)
    runs = []
    for run in rounds(data, among, asked.rounds, under):
        screen.heard(run)
        runs.append(run)
    title = f"{form}: {data.rows:,} rows, {data.stored_bytes / 1e6:.0f} MB".replace(",", " ")
    screen.table(title, figures(data, among, runs))
    screen.console.print(machine.line())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("contest", choices=[form.value for form in Form])
    parser.add_argument("--mb", type=float, default=1250.0, help="stored megabytes, about")
    parser.add_argument("--rounds", type=int, default=3, help="how often each one runs")
    parser.add_argument("--only", type=_names, default=[], help="contenders, with commas")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where data is kept")
    return parser


def _names(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    sys.exit(main())
