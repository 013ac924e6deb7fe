"""Port of a spool: more than memory should hold, written once and read from the start again."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self


class Spool(Protocol):
    """Chunks of bytes in order. It vanishes when it is closed, also after a crash."""

    def append(self, chunk: bytes) -> None: ...

    def __iter__(self) -> Iterator[bytes]:
        """Yield what was appended, from the start, each time anew."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
