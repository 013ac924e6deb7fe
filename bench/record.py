"""Results as JSON: each part with its machine and its day, the other parts left as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.goals import Goal
from bench.machine import machine

Facts = Mapping[str, object]


def record(file: Path, part: str, facts: Facts, goals: Sequence[Goal]) -> None:
    """Write one part of the results."""
    said = json.loads(file.read_text("utf-8")) if file.exists() else {}
    said[part] = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        **facts,
        "goals": [rounded(asdict(goal)) for goal in goals],
    }
    file.write_text(json.dumps(said, indent=1, sort_keys=True, default=str) + "\n", "utf-8")


def rounded(facts: Facts) -> dict[str, object]:
    """Return facts with numbers that a reader can compare."""
    return {name: _rounded(value) for name, value in facts.items()}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return rounded(value)
    return value
