"""What is to be reached, as data: each goal with its figure and whether it holds.

Where a goal is a ratio of two contenders, wall and CPU seconds are judged together, by the
geometric mean of their ratios; both are told, because walls are noisy on a shared machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.memory import Peak
from bench.orchestration import Share
from bench.rounds import Figures
from bench.seed import Form

OURS: Final = "repatria"
AT_MOST: Final[Mapping[str, float]] = {
    "polars": 1.1,
    "polars+verify": 0.6,
    "daft": 0.5,
    "dlt": 0.5,
}
"""Of each one's wall and CPU seconds, on Parquet."""

AT_LEAST: Final[Mapping[Form, float]] = {Form.JSONL: 3.0, Form.JSONL_GZ: 2.5}
"""Times the rows that polars reads and writes in a CPU second, of JSON lines."""

PEAK_MB_MAX: Final[Mapping[str, float]] = {"default": 700.0, "small": 350.0}
SHARE_MAX: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal: ``figure`` against ``limit``, in words that a person reads."""

    text: str
    figure: float
    limit: float
    reached: bool
    told: str = ""


def of_contest(form: Form, figures: Sequence[Figures]) -> Iterator[Goal]:
    """Yield the goals of a contest, as far as its contenders took part."""
    by_name = {one.contender: one for one in figures}
    ours = by_name.get(OURS)
    if ours is None:
        return
    if form is Form.PARQUET:
        for name, limit in AT_MOST.items():
            if name in by_name:
                yield _ratio(ours, by_name[name], limit)
    elif "polars" in by_name:
        yield _rows_per_cpu_s(form, ours, by_name["polars"])


def of_memory(peaks: Sequence[Peak]) -> Iterator[Goal]:
    """Yield the goals of memory: one for each object and setting."""
    for peak in peaks:
        limit, figure = PEAK_MB_MAX[peak.setting], max(peak.peak_bytes, peak.plan_bytes) / 1e6
        yield Goal(
            text=f"peak MB, memory {peak.setting}, a {peak.form} object of "
            f"{peak.stored_bytes / 1e6:.0f} MB",
            figure=figure,
            limit=limit,
            reached=figure <= limit,
        )


def of_orchestration(found: Share) -> Goal:
    """Return the goal of what ledger and door may cost."""
    return Goal(
        text=f"ledger, receipts and steering of {found.batches} batches, of all CPU seconds",
        figure=found.share,
        limit=SHARE_MAX,
        reached=found.share <= SHARE_MAX,
        told=f"{found.ledger_ms:.1f} ms a batch of {found.rows} rows",
    )


def _ratio(ours: Figures, theirs: Figures, limit: float) -> Goal:
    wall, cpu = ours.wall_s / theirs.wall_s, ours.cpu_s / theirs.cpu_s
    figure = math.sqrt(wall * cpu)
    return Goal(
        text=f"Parquet, verified, to {theirs.contender}, at most",
        figure=figure,
        limit=limit,
        reached=figure <= limit,
        told=f"wall {wall:.2f}, CPU {cpu:.2f}",
    )


def _rows_per_cpu_s(form: Form, ours: Figures, theirs: Figures) -> Goal:
    limit, figure = AT_LEAST[form], ours.rows_per_cpu_s / theirs.rows_per_cpu_s
    return Goal(
        text=f"{form}, rows per CPU second to {theirs.contender}, at least",
        figure=figure,
        limit=limit,
        reached=figure >= limit,
        told=f"wall {ours.wall_s / theirs.wall_s:.2f}",
    )
