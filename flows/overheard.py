"""A job that is overheard: its watcher hears of what was done before, and all is added up.

The same for stripes that were run in another process, of which a report tells.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from flows.hands.wire import add_meters
from repatria.stripe import Tally

if TYPE_CHECKING:
    from flows.conduct import Watches
    from flows.hands.elsewhere import Report
    from flows.jobs import Job
    from flows.wiring import House
    from repatria.names import DatasetName
    from repatria.ports.rules import Progresses


class Overheard:
    """A job whose watcher also hears of what earlier runs had finished."""

    job: Job
    house: House

    def __init__(self, watcher: Watches) -> None:
        self._watcher = watcher
        self._lock = threading.Lock()
        self.tally = Tally()
        self._waited = False

    @property
    def stripes(self) -> Sequence[int]:
        return self.job.stripes

    def run_stripe(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        return self._run(self.job.run_stripe, number, progress, stopping)

    def take_over(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        with self._lock:
            first, self._waited = not self._waited, True
        if first:
            told = "another run is at work on this plan: waiting for its stripes"
            self._watcher.noticed(told)
        return self._run(self.job.take_over, number, progress, stopping)

    def _run(
        self,
        run: Callable[[int, Progresses, Callable[[], bool]], Tally],
        number: int,
        progress: Progresses,
        stopping: Callable[[], bool],
    ) -> Tally:
        heard = _Heard(progress)
        tally = run(number, heard, stopping)
        self._watcher.passed_over(max(0, tally.done - heard.done))
        with self._lock:
            self.tally.add(tally)
        return tally

    def heard(self, report: Report) -> None:
        """Hear of stripes that were run elsewhere."""
        report.tell(self._watcher)
        add_meters(self.house, report.meters)
        with self._lock:
            self.tally.add(report.tally)


class _Heard:
    """Passes progress on, and counts the slices that were finished just now."""

    def __init__(self, progress: Progresses) -> None:
        self._progress = progress
        self.done = 0

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        self._progress.batch(dataset, read, moved, bytes_read)

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        self.done += failed is None
        self._progress.slice_done(dataset, label, failed)
