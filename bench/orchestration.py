"""What remembering and steering cost: ledger, leases, receipts and the door, of all CPU seconds.

A thousand objects of 10,000 rows are a thousand batches, each a fiftieth of a batch of the
default size: what a batch costs apart from its records shows fifty times as large as in a
migration of full batches. Three runs: the command as it is, for all CPU seconds and those of the
door's own process; one with a meter on the ledger, in threads, where one process sees every call;
and one of a single tiny object, which is what it costs to start. Starting is told apart: it is the
same for one batch as for a million.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.measure import Measured
from bench.rounds import Failed, measured_all
from bench.seed import Form, Shape, seeded
from bench.stage import Stage, staged
from bench.store import served

BATCHES: Final = 1000
ROWS: Final = 10_000
_OUT: Final = "ledger.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What was found. ``ledger`` is by call: its CPU seconds."""

    batches: int
    rows: int
    cpu_s: float
    wall_s: float
    start_cpu_s: float
    door_cpu_s: float
    ledger_cpu_s: float
    ledger: dict[str, float]

    @property
    def share(self) -> float:
        """Ledger and door, of all CPU seconds."""
        return (self.ledger_cpu_s + self.door_cpu_s) / self.cpu_s

    @property
    def ledger_ms(self) -> float:
        """CPU milliseconds of the ledger for each batch."""
        return 1000 * self.ledger_cpu_s / self.batches


def share(under: Path, batches: int = BATCHES, rows: int = ROWS) -> Share:
    """Measure. Raises ``Failed``."""
    many = Shape(form=Form.PARQUET, objects=batches, rows=rows)
    start, _ = _moved(Shape(form=Form.PARQUET, objects=1, rows=10), under)
    moved, _ = _moved(many, under)
    _, ledger = _moved(many, under, tapped=True)
    if ledger.get("commit", 0.0) == 0.0:
        raise Failed("the meter on the ledger heard of no receipt")
    return Share(
        batches=batches,
        rows=rows,
        cpu_s=moved.cpu_s,
        wall_s=moved.wall_s,
        start_cpu_s=start.cpu_s,
        door_cpu_s=max(0.0, moved.root_cpu_s - start.root_cpu_s),
        ledger_cpu_s=sum(ledger.values()),
        ledger=ledger,
    )


def _moved(shape: Shape, under: Path, *, tapped: bool = False) -> tuple[Measured, dict[str, float]]:
    data = seeded(shape, under)
    with served([data.index], under) as store, staged(store, data, under) as stage:
        return _migrated(stage, tapped=tapped)


def _migrated(stage: Stage, *, tapped: bool) -> tuple[Measured, dict[str, float]]:
    house = stage.household(runner="threads" if tapped else None)
    house.furnish()
    measured_all("repatria", [house.command("init"), house.command("plan")])
    words = ("migrate", "--live")
    if not tapped:
        return measured_all("repatria", [house.command(*words)]), {}
    out = stage.folder / _OUT
    measured = measured_all("repatria", [house.tapped(out, *words)])
    return measured, json.loads(out.read_text("utf-8"))["each"]
