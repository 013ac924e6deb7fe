"""The table of the last soak in docs/reliability.md: a row a kind, each with its day and commit."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from typing import Final

from tests.fire.counts import Counts
from tests.fire.world import ROOT

PAGE: Final = ROOT / "docs" / "reliability.md"
BEGIN: Final = "<!-- last soak: written by `make soak` -->\n"
END: Final = "<!-- end of the last soak -->\n"
HEAD: Final = (
    "| what was tried | trials | of which it struck | violations | on | at |\n"
    "| --- | --- | --- | --- | --- | --- |\n"
)
_ROW: Final = re.compile(r"^\| (.+?) \| (\d+) \| .*\|$", re.MULTILINE)


def write(counts: Counts) -> None:
    """Put what was counted in place of what stood there of the same kinds."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    rows = {found[1]: found[0] for found in _ROW.finditer(old)}
    day, commit = f"{datetime.now(UTC):%Y-%m-%d}", _commit()
    for kind, it in counts.kinds.items():
        told = (kind, it.trials, it.struck, len(it.violations), day, commit)
        rows[kind] = f"| {' | '.join(map(str, told))} |"
    table = HEAD + "".join(f"{row}\n" for row in rows.values())
    PAGE.write_text(f"{before}{BEGIN}{table}{END}{after}", "utf-8")


def _commit() -> str:
    """Name the commit that was tried."""
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()
