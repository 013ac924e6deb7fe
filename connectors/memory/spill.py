"""Spills in memory: the reference of the port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from repatria.ports.spill import Rows, Spill


class MemorySpills:
    """Spills that are forgotten when they close. ``open_now`` counts those that are open."""

    def __init__(self) -> None:
        self.open_now = 0

    @contextmanager
    def open(self, row: np.dtype[Any]) -> Iterator[Spill]:
        self.open_now += 1
        try:
            yield _MemorySpill(row)
        finally:
            self.open_now -= 1


class _MemorySpill:
    def __init__(self, row: np.dtype[Any]) -> None:
        self._row = row
        self._held: list[tuple[Rows, npt.NDArray[np.uint8]]] = []

    def append(self, rows: Rows, parts: npt.NDArray[np.uint8]) -> None:
        assert rows.dtype == self._row, "a spill holds rows of one structure"
        assert len(rows) == len(parts), "each row has a partition"
        self._held.append((rows.copy(), parts.copy()))

    def read(self, part: int) -> Rows:
        none = np.empty(0, dtype=self._row)
        return np.concatenate([none, *(rows[parts == part] for rows, parts in self._held)])
