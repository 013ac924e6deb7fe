"""Verdicts on objects that may kill whoever looks at them: asked for in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def verdicts(module: str, paths: Sequence[Path], timeout_s: float = 200) -> dict[str, str]:
    """Return the verdict on each object; a process that dies is started again past its object.

    ``python -m module path …`` prints a line ``path<TAB>verdict`` for each.
    """
    found: dict[str, str] = {}
    left = [str(path) for path in paths]
    while left:
        done = subprocess.run(
            [sys.executable, "-m", module, *left],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        lines = [line.split("\t", 1) for line in done.stdout.splitlines()]
        found.update((name, told) for name, told in lines)
        left = left[len(lines) :]
        if left:
            found[left.pop(0)] = f"crashed: {done.returncode} {done.stderr[-300:]}"
    return found
