"""Objects that nobody of this project wrote: each arrives equal, or is refused with a reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.children import verdicts

CASES = os.environ.get("REPATRIA_CASES")
CODEC = "tests.unit.parquet_case"
FOLDER = "parquet-testing/"
ALLOWED = {
    "equal": ("equal",),
    "quarantine": ("refused",),
    "equal_or_quarantine": ("equal", "refused"),
}


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
    found = verdicts(CODEC, list(expected))
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
    found = verdicts(CODEC, paths)
    assert found
    assert set(found.values()) == {"equal"}
