"""Services that outlive whoever started them: a process each, with a log, found again and ended.

A service holds a lock on a file of its own as long as it lives, so that nobody takes another
process with the same number for it. It is the leader of its own process group.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from repatria.errors import Transient

STOP_S_MAX: Final = 30.0
REST_S_MAX: Final = 10.0
"""How long what a service started may outlive it."""
POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a folder: ``<name>.log`` is what it says, ``<name>.lock`` that it lives."""

    folder: Path
    name: str

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / f"{self.name}.log"

    @property
    def _lock(self) -> Path:
        return self.folder / f"{self.name}.lock"

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it, detached. Raises ``Transient`` if it runs already."""
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _taken(lock):
                raise Transient("the service runs already", service=self.name)
            with self.log.open("wb") as says:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=says,
                    stderr=says,
                    start_new_session=True,
                    pass_fds=[lock],
                    env=dict(environment),
                    cwd=Path(__file__).parents[2],  # Where ``flows`` is, installed or not.
                )
            if (before := _children.pop(self._lock.resolve(), None)) is not None:
                before.wait(STOP_S_MAX)  # It lives no more: its lock was free.
            _children[self._lock.resolve()] = process
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{process.pid}\n".encode(), 0)
        finally:
            os.close(lock)

    @property
    def alive(self) -> bool:
        """Whether it lives: somebody holds its lock."""
        try:
            lock = os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _taken(lock)
        finally:
            os.close(lock)

    def ready(self, answers: Callable[[], bool], within_s: float) -> None:
        """Wait until it answers. Raises ``Transient`` if it dies first, or takes too long."""
        deadline = time.monotonic() + within_s
        while not answers():
            if not self.alive or time.monotonic() > deadline:
                raise Transient(
                    f"a service did not start; {self.log.name} says why", service=self.name
                )
            time.sleep(POLL_S)

    @property
    def pid(self) -> int:
        """The number of its process, and of its process group."""
        return int(self._lock.read_text())

    def stop(self) -> bool:
        """End it, kindly and then at once; return whether it lived. Ending none is no error."""
        if not self.alive:
            return False
        group = self.pid
        for number, patience_s in ((signal.SIGTERM, STOP_S_MAX), (signal.SIGKILL, STOP_S_MAX)):
            os.killpg(group, number)
            if self._ends_within(patience_s):
                if (child := _children.pop(self._lock.resolve(), None)) is not None:
                    child.wait(STOP_S_MAX)
                _end_the_rest(group)
                return True
        raise Transient("a service is still there after it was killed", service=self.name)

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True


def _end_the_rest(group: int) -> None:
    """Wait for what a service started and did not wait for; end it if it stays."""
    deadline = time.monotonic() + REST_S_MAX
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(POLL_S)
        os.killpg(group, signal.SIGKILL)


def _taken(lock: int) -> bool:
    """Take a lock that is free; say whether it was."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_children: Final[dict[Path, subprocess.Popen[bytes]]] = {}
"""Services that this process started: they are waited for when they end."""
