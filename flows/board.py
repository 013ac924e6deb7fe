"""What the Prefect UI shows of a run under way: a progress artifact, and few lines of log.

Stripes count from many threads; only the flow's own thread, between two stripes, tells the
server. A server that does not answer costs a picture and never the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

from flows.report.numbers import count, plural
from flows.report.story import moved_so_far

if TYPE_CHECKING:
    import logging

    from repatria.names import DatasetName
    from repatria.plan import Plan
    from repatria.ports.rules import Clock

EVERY_S: Final = 4.0
"""Seconds between two updates, at least."""
FAILURES_LOGGED: Final = 100
"""Failed slices that are logged by name; the rest stand in the ledger."""


class Board:
    """Counts the progress of one run, and shows it."""

    def __init__(
        self,
        log: logging.Logger | logging.LoggerAdapter[Any],
        clock: Clock,
        *,
        rehearsed: bool = False,
    ) -> None:
        self.rehearsed = rehearsed
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._artifact: UUID | None = None
        self._shown_at = clock.monotonic()
        self._total = self._done = self._failed = self._read = self._moved = 0

    def begins(self, plan: Plan, run: str, slices: Mapping[DatasetName, int]) -> None:
        """Show an empty bar."""
        self._total = sum(slices.values())
        slices_told = plural(self._total, "slice")
        self._log.info("run %s of plan %s: %s", run, plan.digest[:12], slices_told)
        made = quietly(
            self._log,
            lambda: create_progress_artifact(0.0, key="progress", description=f"Run {run} begins"),
        )
        self._artifact = made if isinstance(made, UUID) else None

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        """Count a batch."""
        with self._lock:
            self._read += read
            self._moved += moved

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        """Count a slice; name one that failed."""
        with self._lock:
            self._done += 1
            self._failed += failed is not None
            told = failed is not None and self._failed <= FAILURES_LOGGED
        if told:
            self._log.warning("%s: %s could not be finished: %s", dataset, label, failed)

    def passed_over(self, slices: int) -> None:
        """Count slices that an earlier run had finished."""
        with self._lock:
            self._done += slices

    def noticed(self, what: str) -> None:
        """Log it."""
        self._log.warning("%s", what)

    @property
    def percent(self) -> float:
        """How much is done; 100 only when the run says so."""
        with self._lock:
            return min(99.9, 100 * self._done / self._total) if self._total else 0.0

    def pulse(self) -> None:
        """Show how far it has come, unless that was done just now."""
        now = self._clock.monotonic()
        if self._artifact is not None and now - self._shown_at >= EVERY_S:
            self._shown_at = now
            self._show(self.percent)

    def ends(self) -> None:
        """Show a full bar."""
        if self._artifact is not None:
            self._show(100.0)

    def told(self) -> str:
        """Say how far it has come."""
        with self._lock:
            parts = [
                f"{count(self._done)} of {plural(self._total, 'slice')} done",
                f"{plural(self._read, 'record')} read",
            ]
            if self._moved:  # A verification moves nothing.
                parts.append(moved_so_far(self._moved, rehearsed=self.rehearsed))
        return ", ".join(parts)

    def _show(self, percent: float) -> None:
        artifact = self._artifact
        assert artifact is not None, "a bar is shown before it moves"
        told = self.told()
        quietly(self._log, lambda: update_progress_artifact(artifact, percent, description=told))


def quietly(log: logging.Logger | logging.LoggerAdapter[Any], show: Callable[[], object]) -> object:
    """Show something, or log that it could not be shown."""
    try:
        return show()
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("the Prefect server did not take a picture: %s", type(error).__name__)
        return None
