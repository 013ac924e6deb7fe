"""Draws the demonstration's output as an SVG for the README: what a terminal shows, nothing else.

The whole demonstration runs, in a process of its own; the parts that a picture has room for are
drawn. ``make pictures`` calls this, and the browser test for the pictures of the Prefect UI.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from flows.command.screen.console import say
from flows.world.demo import USERS

COLUMNS: Final = 90
SHOWN: Final = ("5/8", "The verdict")
"""Headings of the parts that are drawn."""
_FONT_FACE: Final = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration and draw it; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.world.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--users", type=int, default=USERS, help="people in the world")
    asked = parser.parse_args(arguments)
    ended = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "flows.world.demo", "--users", str(asked.users)],
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Progress is for terminals.
        text=True,
        check=False,
    )
    (asked.folder / "demo.svg").write_text(drawn(ended.stdout), "utf-8")
    say(f"Drew demo.svg in {asked.folder}.")
    return ended.returncode


def drawn(output: str) -> str:
    """Return the picture of the parts of ``output`` that have room in one."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for part in parts(output):
        console.print(part)
    # Fonts come from the reader's machine: a picture that loads something is no picture.
    return console.export_svg(
        title="make demo",
        theme=DIMMED_MONOKAI,
        code_format=_FONT_FACE.sub("", CONSOLE_SVG_FORMAT),
        unique_id="demo",
    )


def parts(output: str) -> list[Text]:
    """Cut ``output`` at its headings, and return the parts to be shown."""
    lines = [line.rsplit("\r", 1)[-1] for line in output.splitlines()]
    texts = [Text.from_ansi(line) for line in lines]
    found: list[list[Text]] = [[]]
    for text in texts:
        if "──" in text.plain and not text.plain.lstrip().startswith("─"):
            found.append([])
        found[-1].append(text)
    shown = [part for part in found if any(word in part[0].plain for word in SHOWN)]
    return [Text("\n").join(part) for part in shown]


if __name__ == "__main__":
    sys.exit(main())
