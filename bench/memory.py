"""How much memory a migration takes whatever the object: 100 MB and 4 GB in one, two settings.

The peak is that of the whole tree of processes, over planning and moving. What arrives is
counted, not compared: the contests compare the same work value by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from bench.rounds import Failed, measured_all
from bench.seed import Form, Shape, seeded
from bench.stage import Stage, staged
from bench.store import served
from repatria.layout import OURS

FORMS: Final = (Form.PARQUET, Form.JSONL)
SETTINGS: Final[Mapping[str, Mapping[str, object]]] = {"default": {}, "small": {"memory": "small"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """What one object took under one setting. ``largest_bytes`` is of the largest process."""

    form: Form
    stored_bytes: int
    setting: str
    plan_bytes: int
    peak_bytes: int
    largest_bytes: int
    rows: int
    wall_s: float
    cpu_s: float


def peaks(sizes_mb: Sequence[float], settings: Sequence[str], under: Path) -> Iterator[Peak]:
    """Yield each measurement as it ends. Raises ``Failed``."""
    for form in FORMS:
        for size in sizes_mb:
            for setting in settings:
                yield _peak(Shape.of_mb(form, size, joined=True), setting, under)


def _peak(shape: Shape, setting: str, under: Path) -> Peak:
    data = seeded(shape, under)
    with served([data.index], under) as store, staged(store, data, under) as stage:
        house = stage.household(limits=SETTINGS[setting])
        house.furnish()
        measured_all("repatria", [house.command("init")])
        planned = measured_all("repatria", [house.command("plan")])
        moved = measured_all("repatria", [house.command("migrate", "--live")])
        return Peak(
            form=shape.form,
            stored_bytes=data.stored_bytes,
            setting=setting,
            plan_bytes=planned.peak_bytes,
            peak_bytes=moved.peak_bytes,
            largest_bytes=moved.largest_bytes,
            rows=_arrived(stage),
            wall_s=moved.wall_s,
            cpu_s=moved.cpu_s,
        )


def _arrived(stage: Stage) -> int:
    """Count the records at the homes. Raises ``Failed`` where none arrived."""
    rows = 0
    for bucket in stage.homes.values():
        for key in stage.store.keys(bucket):
            if OURS not in key:
                rows += _rows(stage.store.get(bucket, key), stage.data.shape.form)
    if rows == 0:
        raise Failed("repatria moved nothing")
    return rows


def _rows(content: bytes, form: Form) -> int:
    if form is Form.PARQUET:
        return pq.read_metadata(BytesIO(content)).num_rows
    return content.count(b"\n")
