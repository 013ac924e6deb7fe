"""The benchmark's command line: ``python -m bench parquet --rounds 3 --mb 1250``.

Ends with 0 if every goal of what was measured was reached, with 1 if one was missed, and with 2
if a contender did not do its work.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from bench import goals, machine, screen
from bench.household import ROOT
from bench.judge import Unequal
from bench.memory import SETTINGS, peaks
from bench.orchestration import BATCHES, share
from bench.record import Facts, record, rounded
from bench.roster import contenders
from bench.rounds import Failed, figures, rounds
from bench.seed import Form, Shape, seeded

FOLDER: Final = ROOT / ".world" / "bench"

Part = Callable[[argparse.Namespace], tuple[Facts, list[goals.Goal]]]


def contest(form: Form, asked: argparse.Namespace) -> tuple[Facts, list[goals.Goal]]:
    """Run contenders side by side on one set of data."""
    among = contenders(form, asked.only)
    with screen.console.status(f"Making {asked.mb:.0f} MB of {form}"):
        data = seeded(Shape.of_mb(form, asked.mb), asked.folder)
    runs = []
    for run in rounds(data, among, asked.rounds, asked.folder):
        screen.heard(run)
        runs.append(run)
    found = figures(data, among, runs)
    screen.table(data, found)
    facts = {
        "rows": data.rows,
        "stored_bytes": data.stored_bytes,
        "figures": [rounded(asdict(one)) for one in found],
        "runs": [rounded(asdict(run)) for run in runs],
    }
    return facts, list(goals.of_contest(form, found))


def memory(asked: argparse.Namespace) -> tuple[Facts, list[goals.Goal]]:
    """Move one object of each size under each setting."""
    found = []
    for peak in peaks(asked.sizes, asked.settings, asked.folder):
        screen.peaked(peak)
        found.append(peak)
    return {"peaks": [rounded(asdict(one)) for one in found]}, list(goals.of_memory(found))


def orchestration(asked: argparse.Namespace) -> tuple[Facts, list[goals.Goal]]:
    """Move a thousand small batches, and ask what it cost to remember and to steer."""
    found = share(asked.folder, asked.batches)
    screen.shared(found)
    return rounded(asdict(found)), [goals.of_orchestration(found)]


PARTS: Final[Mapping[str, Part]] = {
    **{form.value: partial(contest, form) for form in Form},
    "memory": memory,
    "orchestration": orchestration,
}


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, and say whether its goals were reached."""
    asked = _parser().parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    reached = True
    try:
        for name in PARTS if asked.part == "all" else [asked.part]:
            facts, found = PARTS[name](asked)
            reached = screen.judged(found) and reached
            if asked.results is not None:
                record(asked.results, name, facts, found)
    except (Failed, Unequal) as error:
        screen.console.print(f"{type(error).__name__}: {error}", markup=False)
        return 2
    screen.console.print(machine.line())
    return 0 if reached else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", choices=["all", *PARTS])
    parser.add_argument("--mb", type=float, default=1250.0, help="megabytes, before gzip")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs")
    parser.add_argument("--only", type=_names, default=[], help="contenders, with commas")
    parser.add_argument(
        "--sizes", type=_numbers, default=[100.0, 4000.0], help="memory: MB, commas"
    )
    parser.add_argument("--settings", type=_names, default=list(SETTINGS), help="memory: which")
    parser.add_argument("--batches", type=int, default=BATCHES, help="orchestration: how many")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where data is kept")
    parser.add_argument("--results", type=Path, help="a JSON file to write results into")
    return parser


def _names(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[float]:
    return [float(one) for one in text.split(",")]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
