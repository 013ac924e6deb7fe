"""Runs contenders side by side: alternating, each on an empty stage, each output judged.

What is not equal to the source is no result: it ends the benchmark.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.judge import Judge, Place
from bench.measure import Command, Measured, measure
from bench.roster import Contender
from bench.seed import Seeded
from bench.stage import CODEC, Stage, staged
from bench.store import served


class Failed(Exception):
    """A contender did not do its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one contender, judged. ``before`` is what it prepared, told apart."""

    contender: str
    round: int
    before: Measured
    measured: Measured
    server_cpu_s: float
    rows_written: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians of a contender's runs."""

    contender: str
    verifies: bool
    splits: bool
    rounds: int
    wall_s: float
    cpu_s: float
    peak_bytes: int
    server_cpu_s: float
    before_wall_s: float
    rows_per_s: float
    rows_per_cpu_s: float


def rounds(data: Seeded, among: Sequence[Contender], count: int, under: Path) -> Iterator[Run]:
    """Yield each run as it ends; every other round goes backwards. Raises ``Failed``."""
    judge = Judge(data)
    with served([data.index], under) as store:
        for number in range(count):
            for contender in among[:: -1 if number % 2 else 1]:
                with staged(store, data, under) as stage:
                    yield _run(contender, number, stage, judge)


def figures(data: Seeded, among: Sequence[Contender], runs: Sequence[Run]) -> list[Figures]:
    """Return the medians, in the order of ``among``."""
    return [
        _figures(data, one, [run for run in runs if run.contender == one.name]) for one in among
    ]


def _figures(data: Seeded, contender: Contender, runs: Sequence[Run]) -> Figures:
    wall_s = median(run.measured.wall_s for run in runs)
    cpu_s = median(run.measured.cpu_s for run in runs)
    return Figures(
        contender=contender.name,
        verifies=contender.verifies,
        splits=contender.splits,
        rounds=len(runs),
        wall_s=wall_s,
        cpu_s=cpu_s,
        peak_bytes=int(median(run.measured.peak_bytes for run in runs)),
        server_cpu_s=median(run.server_cpu_s for run in runs),
        before_wall_s=median(run.before.wall_s for run in runs),
        rows_per_s=data.rows / wall_s,
        rows_per_cpu_s=data.rows / cpu_s,
    )


def _run(contender: Contender, number: int, stage: Stage, judge: Judge) -> Run:
    before = measured_all(contender.name, contender.before(stage))
    began_cpu_s = stage.store.cpu_s()
    measured = measured_all(contender.name, contender.runs(stage))
    server_cpu_s = stage.store.cpu_s() - began_cpu_s
    return Run(
        contender=contender.name,
        round=number,
        before=before,
        measured=measured,
        server_cpu_s=server_cpu_s,
        rows_written=_judged(contender, stage, judge),
    )


def _judged(contender: Contender, stage: Stage, judge: Judge) -> int:
    places = {home: Place(stage.store, *contender.lies(stage, home)) for home in stage.homes}
    if not contender.splits:
        return judge.copy(next(iter(places.values())))
    return sum(judge.split(home, place, CODEC[0]) for home, place in places.items())


def measured_all(name: str, commands: Sequence[Command]) -> Measured:
    """Measure commands one after the other: times add up, peaks do not."""
    each = [_one(name, command) for command in commands]
    return Measured(
        code=0,
        wall_s=sum(one.wall_s for one in each),
        cpu_s=sum(one.cpu_s for one in each),
        root_cpu_s=sum(one.root_cpu_s for one in each),
        peak_bytes=max((one.peak_bytes for one in each), default=0),
        largest_bytes=max((one.largest_bytes for one in each), default=0),
    )


def _one(name: str, command: Command) -> Measured:
    os.sync()  # What an earlier run wrote is not this one's to wait for.
    measured = measure(command)
    if measured.code != 0:
        tail = command.log.read_text("utf-8", "replace")[-2000:]
        raise Failed(f"{name} ended with {measured.code}:\n{tail}")
    return measured
