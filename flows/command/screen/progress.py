"""Progress of a run: a bar per dataset on a terminal, plain lines elsewhere.

Stripes report from several threads. A bar counts slices; where the plan does not know how many
there are it only moves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from textwrap import fill
from typing import TYPE_CHECKING, Final

from flows.command.screen.console import err, say
from flows.report.numbers import count, duration, plural, rate, size
from flows.report.story import moved_so_far

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from flows.conduct import Watches
    from repatria.names import DatasetName
    from repatria.plan import Plan

LINE_S: Final = 10.0
"""Seconds between two plain lines, at least."""
NARROW: Final = 80
"""Columns of the narrowest terminal that lines are written for."""


@contextmanager
def watching(verb: str, *, rehearsed: bool = False) -> Iterator[Watches]:
    """Show a run: bars on a terminal, else lines."""
    console = err()
    if not console.is_terminal:
        yield Lines(verb, rehearsed=rehearsed)
        return
    from rich.progress import (  # noqa: PLC0415 - only for what draws
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(verb, progress, rehearsed=rehearsed)


@dataclass(slots=True)
class Counted:
    """What one dataset came to so far."""

    slices: int = 0
    read: int = 0
    moved: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Counting:
    """Counts, whichever way they are shown."""

    verb: str
    rehearsed: bool = False
    began: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)
    counted: dict[DatasetName, Counted] = field(default_factory=dict)

    def told(self, found: Counted) -> str:
        seconds = max(0.001, time.monotonic() - self.began)
        so_far = moved_so_far(found.moved, rehearsed=self.rehearsed)
        moved = f", {so_far}" if found.moved else ""
        return (
            f"{plural(found.read, 'record')} read{moved} · {size(found.bytes)} · "
            f"{rate(found.read / seconds)}"
        )

    def add(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> Counted:
        found = self.counted.setdefault(dataset, Counted())
        found.read += read
        found.moved += moved
        found.bytes += bytes_read
        return found


class Bars:
    """A bar per dataset."""

    def __init__(self, verb: str, progress: Progress, *, rehearsed: bool = False) -> None:
        self._counting = _Counting(verb, rehearsed)
        self._progress = progress
        self._tasks: dict[DatasetName, TaskID] = {}
        self._earlier: TaskID | None = None

    def begins(self, plan: Plan, run: str, slices: Mapping[DatasetName, int]) -> None:
        """Show an empty bar for each dataset."""
        with self._counting.lock:
            for dataset, total in slices.items():
                self._tasks[dataset] = self._progress.add_task(dataset, total=total, told="")

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        """Tell what was read and moved."""
        with self._counting.lock:
            found = self._counting.add(dataset, read, moved, bytes_read)
            self._progress.update(self._task(dataset), told=self._counting.told(found))

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        """Move a bar; name what failed above it."""
        with self._counting.lock:
            self._progress.advance(self._task(dataset))
        if failed is not None:
            from rich.text import Text  # noqa: PLC0415 - only for what draws

            told = Text.assemble(("! ", "yellow"), f"{dataset}: {label}: {failed}")
            self._progress.console.print(told)

    def passed_over(self, slices: int) -> None:
        """Tell how much earlier runs had done."""
        if not slices:
            return
        with self._counting.lock:
            if self._earlier is None:
                self._earlier = self._progress.add_task("done before", total=None, told="")
            self._progress.advance(self._earlier, slices)

    def noticed(self, what: str) -> None:
        """Say it above the bars."""
        from rich.text import Text  # noqa: PLC0415 - only for what draws

        self._progress.console.print(Text.assemble(("! ", "yellow"), what))

    def _task(self, dataset: DatasetName) -> TaskID:
        if dataset not in self._tasks:
            self._tasks[dataset] = self._progress.add_task(dataset, total=None, told="")
        return self._tasks[dataset]


class Lines:
    """A plain line now and then."""

    def __init__(self, verb: str, *, rehearsed: bool = False) -> None:
        self._counting = _Counting(verb, rehearsed)
        self._total = self._done = 0
        self._spoke = time.monotonic()

    def begins(self, plan: Plan, run: str, slices: Mapping[DatasetName, int]) -> None:
        """Say what begins."""
        self._total = sum(slices.values())
        say(f"{self._counting.verb}: plan {plan.digest[:12]}, {plural(self._total, 'slice')}")

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        """Count, and speak if the last line is long ago."""
        with self._counting.lock:
            self._counting.add(dataset, read, moved, bytes_read)
            self._speak()

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        """Name what failed."""
        with self._counting.lock:
            self._done += 1
        if failed is not None:
            say(f"{dataset}: {label}: {failed}")

    def passed_over(self, slices: int) -> None:
        """Count what earlier runs had done."""
        with self._counting.lock:
            self._done += slices

    def noticed(self, what: str) -> None:
        """Say it."""
        say(what)

    def _speak(self) -> None:
        now = time.monotonic()
        if now - self._spoke < LINE_S:
            return
        self._spoke = now
        whole = Counted()
        for found in self._counting.counted.values():
            whole.read += found.read
            whole.moved += found.moved
            whole.bytes += found.bytes
        slices = f"{count(self._done)}/{count(self._total)} slices"
        after = duration(now - self._counting.began)
        told = f"{self._counting.verb}: {slices}, {self._counting.told(whole)}, after {after}"
        say(fill(told, NARROW, subsequent_indent="  "))
