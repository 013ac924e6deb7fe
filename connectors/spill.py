"""Spills on disk: one file per partition, in a private folder that vanishes with the spill.

That of a process that was killed is removed by whoever opens the next spill there.

Rows wait in memory until there are ``PENDING_BYTES`` of them, then each partition is appended to
its file. Files are opened for one append at a time, so that 256 partitions need one descriptor.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from connectors.disk import own_folder, sweep, translated, unfinished
from repatria.ports.spill import PARTS, Rows, Spill

PENDING_BYTES: Final = 8 * 1024 * 1024


class DiskSpills:
    """Spills under one folder, which is made if it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self, row: np.dtype[Any]) -> Iterator[Spill]:
        with translated("spill"):
            own_folder(self._folder)
            sweep(self._folder)
            place = tempfile.TemporaryDirectory(prefix=unfinished("spill"), dir=self._folder)
        with place as name:
            yield _DiskSpill(Path(name), row)


class _DiskSpill:
    def __init__(self, folder: Path, row: np.dtype[Any]) -> None:
        self._folder = folder
        self._row = row
        self._pending: list[tuple[Rows, npt.NDArray[np.uint8]]] = []
        self._bytes = 0

    def append(self, rows: Rows, parts: npt.NDArray[np.uint8]) -> None:
        assert rows.dtype == self._row, "a spill holds rows of one structure"
        assert len(rows) == len(parts), "each row has a partition"
        self._pending.append((rows, parts))
        self._bytes += rows.nbytes
        if self._bytes >= PENDING_BYTES:
            self._flush()

    def read(self, part: int) -> Rows:
        self._flush()
        with translated("spill"):
            path = self._path(part)
            if not path.exists():
                return np.empty(0, dtype=self._row)
            return np.fromfile(path, dtype=self._row)

    def _flush(self) -> None:
        if not self._pending:
            return
        rows = np.concatenate([rows for rows, _ in self._pending])
        parts = np.concatenate([parts for _, parts in self._pending])
        self._pending, self._bytes = [], 0
        rows = rows[np.argsort(parts, kind="stable")]
        stops = np.cumsum(np.bincount(parts, minlength=PARTS))
        with translated("spill"):
            for part in np.unique(parts).tolist():
                start = int(stops[part - 1]) if part else 0
                self._write(self._path(part), rows[start : stops[part]])

    def _write(self, path: Path, rows: Rows) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(rows.tobytes())

    def _path(self, part: int) -> Path:
        return self._folder / f"{part:02x}"
