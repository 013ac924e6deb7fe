"""Watchers for tests: one that hears nothing, one that remembers."""

from __future__ import annotations

from collections.abc import Mapping

from repatria.names import DatasetName
from repatria.plan import Plan


class Quiet:
    """Hears nothing."""

    def begins(self, plan: Plan, run: str, slices: Mapping[DatasetName, int]) -> None:
        """Hear that a run begins."""

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        """Hear of a batch."""

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        """Hear of a slice."""

    def passed_over(self, slices: int) -> None:
        """Hear of what was done before."""

    def noticed(self, what: str) -> None:
        """Hear of the run itself."""
