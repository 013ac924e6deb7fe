"""The table of the last soak in docs/reliability.md: a row a kind, with day and commits."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.fire.carried import Carried
from tests.fire.counts import Count
from tests.fire.world import ROOT

PAGE: Final = ROOT / "docs" / "reliability.md"
BEGIN: Final = "<!-- last soak: written by `make soak` -->\n"
END: Final = "<!-- end of the last soak -->\n"
HEAD: Final = (
    "| what was tried | trials | of which it struck | violations | rate below | on | at |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n"
)
OF_THREE: Final = 3.0
"""``N`` trials without a violation: below ``3/N`` violate, at 95 % (rule of three)."""
_ROW: Final = re.compile(r"^\| (.+?) \| (\d+) \| .*\|$", re.MULTILINE)


def write(carried: Carried, path: Path = PAGE) -> None:
    """Put what was counted in place of what stood there of the same kinds."""
    page = path.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    rows = {found[1]: found[0] for found in _ROW.finditer(old)}
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    for kind, it in carried.counts().kinds.items():
        first, *_, last = [carried.commits(kind)[0], *carried.commits(kind)]
        where = first if first == last else f"{first} to {last}"
        told = (kind, it.trials, it.struck, len(it.violations), rate(it), day, where)
        rows[kind] = f"| {' | '.join(map(str, told))} |"
    table = HEAD + "".join(f"{row}\n" for row in rows.values())
    path.write_text(f"{before}{BEGIN}{table}{END}{after}", "utf-8")


def rate(count: Count) -> str:
    """Return the bound that the trials of a kind support; none where something was violated."""
    if count.violations or not count.trials:
        return "—"
    return f"{min(1.0, OF_THREE / count.trials):.2%}"


def commit() -> str:
    """Name the commit that is tried."""
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()
