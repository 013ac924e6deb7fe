"""Spools: an unnamed temporary file of ours alone, or memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.disk import translated

_LENGTH = 8


class FileSpool:
    """A spool in an unnamed file inside ``folder``: nobody else can open it."""

    def __init__(self, folder: Path) -> None:
        with translated("spool"):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by __exit__

    def append(self, chunk: bytes) -> None:
        with translated("spool"):
            self._file.seek(0, os.SEEK_END)  # A reader may have left it anywhere.
            self._file.write(len(chunk).to_bytes(_LENGTH, "big") + chunk)

    def __iter__(self) -> Iterator[bytes]:
        with translated("spool"):
            self._file.flush()
        at = 0
        while True:
            self._file.seek(at)
            head = self._file.read(_LENGTH)
            if not head:
                return
            chunk = self._file.read(int.from_bytes(head, "big"))
            at += _LENGTH + len(chunk)
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


class MemorySpool:
    """A spool in a list."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def append(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def __iter__(self) -> Iterator[bytes]:
        return iter(tuple(self._chunks))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._chunks.clear()
