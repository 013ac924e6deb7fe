"""The door's end of one hand: starts the process, gives orders, hears events, ends it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import flows
from flows.hands import wire

PROGRAM: Final = (sys.executable, "-m", "flows.hands.child")
LEAVING_S: Final = 5.0
"""Seconds that a hand has for leaving on its own."""
_CHUNK: Final = 1 << 16
_LINE_MAX: Final = 1 << 24


class HandDied(Exception):
    """A hand ended without a word. ``how`` says what the system tells of it."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Hand:
    """One child process. Used by one thread at a time.

    ``starter`` is where it is started: the kernel ends a hand with the *thread* that started it
    (prctl(2), PR_SET_PDEATHSIG), which therefore must live as long as the hand.
    """

    def __init__(self, starter: ThreadPoolExecutor, program: Sequence[str] = PROGRAM) -> None:
        self._held = bytearray()
        self._events, theirs = os.pipe()
        try:
            self._process = starter.submit(_started, program, theirs).result()
        except BaseException:
            os.close(self._events)
            raise
        finally:
            os.close(theirs)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def order(self, do: str, **what: object) -> None:
        """Give an order. Raises ``HandDied``."""
        assert self._process.stdin is not None, "orders go through a pipe"
        try:
            self._process.stdin.write(wire.line({"do": do, **what}))
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._death() from error

    def hear(self, within_s: float) -> wire.Message | None:
        """Return the next event, or None if none comes in time. Raises ``HandDied``."""
        while (end := self._held.find(b"\n")) < 0:
            ready = select.poll()
            ready.register(self._events, select.POLLIN)
            if not ready.poll(within_s * 1000):
                return None
            chunk = os.read(self._events, _CHUNK)
            if not chunk:
                raise self._death()
            self._held += chunk
            if len(self._held) > _LINE_MAX:
                self._process.kill()
                raise HandDied("a line without an end")
        text = bytes(self._held[:end])
        del self._held[: end + 1]
        try:
            return wire.message(text)
        except (ValueError, AssertionError) as error:
            self._process.kill()
            raise HandDied("words that are none") from error

    def leave(self) -> None:
        """Ask the hand to leave, and end it if it does not."""
        with suppress(HandDied, subprocess.TimeoutExpired):
            self.order("leave")
            self._process.wait(LEAVING_S)
        self.end()

    def end(self) -> None:
        """End the process now, whatever it does: that is safe at every moment."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None, "orders go through a pipe"
        with suppress(BrokenPipeError):  # An order that nobody will read.
            self._process.stdin.close()
        if self._events >= 0:
            os.close(self._events)
            self._events = -1

    def _death(self) -> HandDied:
        try:
            code = self._process.wait(LEAVING_S)
        except subprocess.TimeoutExpired:
            return HandDied("silence")
        if code >= 0:
            return HandDied(f"exit code {code}")
        return HandDied(f"signal {-code}{_named(-code)}")


def _named(number: int) -> str:
    """Return the name of a signal in brackets; those of real time have none."""
    return f" ({signal.Signals(number).name})" if number in set(signal.Signals) else ""


def _started(program: Sequence[str], events: int) -> subprocess.Popen[bytes]:
    """Start a process that finds our own code, wherever this one found it."""
    root = str(Path(flows.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(  # noqa: S603 - a program of ours, and no shell
        [*program, str(events), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=(events,),
        env={**os.environ, "PYTHONPATH": path},
    )
