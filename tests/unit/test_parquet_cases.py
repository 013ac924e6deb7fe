"""Objects that nobody of this project wrote: each arrives equal, or is refused with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = os.environ.get("REPATRIA_CASES")
FOLDER = "parquet-testing/"
ALLOWED = {
    "equal": ("equal",),
    "quarantine": ("refused",),
    "equal_or_quarantine": ("equal", "refused"),
}


def run(paths: list[Path]) -> dict[str, str]:
    """Return the verdict on each object; a process that dies is started again past its object."""
    found: dict[str, str] = {}
    left = [str(path) for path in paths]
    while left:
        done = subprocess.run(
            [sys.executable, "-m", "tests.unit.parquet_case", *left],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        lines = [line.split("\t", 1) for line in done.stdout.splitlines()]
        found.update((name, told) for name, told in lines)
        left = left[len(lines) :]
        if left:
            found[left.pop(0)] = f"crashed: {done.returncode}"
    return found


@pytest.mark.skipif(CASES is None, reason="NOT RUN: REPATRIA_CASES is not set")
def test_every_object_of_others_arrives_equal_or_is_refused() -> None:
    assert CASES is not None
    cases = Path(CASES).resolve()
    expected = {
        cases / name: told["expected"]
        for name, told in json.loads((cases / "EXPECTED.json").read_text()).items()
        if name.startswith(FOLDER)
    }
    assert len(expected) > 80
    found = run(list(expected))
    wrong = {
        path.name: found[str(path)]
        for path, verdict in expected.items()
        if found[str(path)].split(":")[0] not in ALLOWED[verdict]
    }
    assert wrong == {}


@pytest.mark.skipif(CASES is None, reason="NOT RUN: REPATRIA_CASES is not set")
def test_variants_arrive_equal() -> None:
    assert CASES is not None
    paths = sorted((Path(CASES).resolve() / FOLDER / "shredded_variant").glob("*.parquet"))
    found = run(paths)
    assert found
    assert set(found.values()) == {"equal"}
