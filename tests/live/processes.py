"""Processes of this machine, as the kernel tells of them."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")


def children(parent: int, words: str) -> list[int]:
    """Return the numbers of the children of ``parent`` whose command line has ``words``."""
    numbers = (int(it.name) for it in _PROC.iterdir() if it.name.isdigit())
    return [it for it in numbers if _parent(it) == parent and words.encode() in _command(it)]


def _parent(number: int) -> int:
    try:
        told = (_PROC / str(number) / "stat").read_text("utf-8", errors="replace")
    except OSError:
        return 0  # It is gone.
    return int(told.rpartition(")")[2].split()[1])


def _command(number: int) -> bytes:
    try:
        return (_PROC / str(number) / "cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def gone(number: int) -> Iterator[Callable[[float], bool]]:
    """Give what waits for the end of a process, and says whether it came within some seconds."""
    handle = os.pidfd_open(number)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        yield lambda within_s: bool(poll.poll(within_s * 1000))
    finally:
        os.close(handle)
