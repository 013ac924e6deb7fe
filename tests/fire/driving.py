"""Runs commands of ours through the driver, in processes that may be killed and stopped."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from tests.fire.world import ROOT, environment

POLL_S: Final = 0.01
PATIENCE_S: Final = 120.0
"""A command that takes longer is one that would never end."""


@dataclass(frozen=True)
class At:
    """One point: the number of a durable call, which side of it, and what happens there."""

    number: int
    before: bool = True
    signal: int = signal.SIGKILL


@dataclass(frozen=True)
class Ended:
    """How a command ended (a negative code is a signal), and all that it said."""

    code: int
    out: str
    err: str
    points: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Both streams as one text, its lines joined: whoever looks for words ignores breaks."""
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


@dataclass(frozen=True)
class Child:
    """A command under way."""

    driver: Driver
    pid: int
    folder: Path

    def ended(self) -> Ended:
        """Wait until it ended. Fails, and kills it, if it takes too long."""
        answer = self.driver.ask(do="wait", pid=self.pid)
        out, err, points = (self._told(name) for name in ("out", "err", "points"))
        return Ended(answer["code"], out, err, tuple(points.split()))

    def _told(self, name: str) -> str:
        file = self.folder / name
        return file.read_text("utf-8", errors="replace") if file.exists() else ""

    def stopped(self) -> bool:
        """Wait until it stopped; False if it ended instead."""
        return bool(self.driver.ask(do="wait", pid=self.pid, stopped=True).get("stopped"))

    def has_ended(self) -> bool:
        """Say whether it has ended, without waiting."""
        return bool(self.driver.ask(do="look", pid=self.pid)["ended"])

    def points(self) -> int:
        """Count the durable calls that it made so far."""
        points = self.folder / "points"
        return points.read_bytes().count(b"\n") if points.exists() else 0

    def hands(self) -> list[int]:
        """Return its own children."""
        found = Path(f"/proc/{self.pid}/task").glob("*/children")
        with suppress(FileNotFoundError, ProcessLookupError):
            return [int(number) for file in found for number in file.read_text().split()]
        return []

    def goes_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


class Driver:
    """The process that forks, seen from the harness."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._folder = process, folder
        self._asks: IO[str] = process.stdin
        self._answers: IO[str] = process.stdout
        self._number = 0

    def start(self, config: Path, *words: str, at: At | None = None) -> Child:
        """Start a command; it dies or stops at ``at``, if it comes so far."""
        self._number += 1
        folder = self._folder / str(self._number)
        folder.mkdir()
        point = {} if at is None else {**vars(at), "at": at.number}
        answer = self.ask(do="fork", words=words, config=str(config), folder=str(folder), **point)
        return Child(self, answer["pid"], folder)

    def run(self, config: Path, *words: str, at: At | None = None) -> Ended:
        """Run a command to its end."""
        return self.start(config, *words, at=at).ended()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Ask the driver. Whoever it waits for too long is killed, and that is a failure."""
        self._asks.write(json.dumps(asked) + "\n")
        self._asks.flush()
        ready, _, _ = select.select([self._answers], [], [], PATIENCE_S)
        if not ready and "pid" in asked:
            os.kill(asked["pid"], signal.SIGKILL)
            self._answers.readline()
        assert ready, f"it did not end within {PATIENCE_S:.0f} seconds"
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer


@contextmanager
def driving(folder: Path) -> Iterator[Driver]:
    """Run a driver for the length of a ``with`` block; its children end with it."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fire.driver"],
        env=environment(),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Driver(process, folder)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
