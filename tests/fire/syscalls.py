"""Faults at the system calls of an unmodified process: strace makes the n-th fail, or kill.

Numbers count the calls of one kind in one thread, so that a point is a kind and a number;
whichever thread comes to it first is hit, before the call has any effect. (``--seccomp-bpf`` is
left out: with it strace 6.1 injects errors, and never a signal.)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.fire.driving import PATIENCE_S, Ended
from tests.fire.world import ROOT, environment

KINDS: Final = (
    *("fsync", "fdatasync", "pwrite64", "write", "ftruncate", "rename", "unlink"),
    "sendto",
)
"""What leaves something behind on a disk, or at a store."""
DISK: Final = ("fdatasync", "fsync", "pwrite64", "write")
_CALL: Final = re.compile(r"^(\d+)\s+(\w+)\(")


@dataclass(frozen=True)
class Point:
    """The n-th system call of a kind, the first being 1."""

    kind: str
    number: int


def strace() -> str:
    """Return where strace is; without it, skip loudly, or fail where nothing may be skipped."""
    found = shutil.which("strace")
    if found is None:
        what = "NOT RUN for want of strace: the tests that kill at system calls"
        if os.environ.get("CI"):
            pytest.fail(what)
        pytest.skip(what)
    return found


def points(config: Path, folder: Path, *words: str) -> dict[str, int]:
    """Count the system calls that a command makes, the most that one thread makes of each kind."""
    log = folder / "calls"
    _run(["-o", str(log)], config, *words)
    calls = Counter(
        (found[1], found[2])
        for line in log.read_text("utf-8", errors="replace").splitlines()
        if (found := _CALL.match(line))
    )
    most: dict[str, int] = {}
    for (_, kind), number in calls.items():
        most[kind] = max(most.get(kind, 0), number)
    return most


def killed(config: Path, at: Point, *words: str) -> Ended:
    """Run a command that is killed at a point."""
    return _run(_injecting(f"{at.kind}:signal=SIGKILL:when={at.number}"), config, *words)


def failing(config: Path, at: Point, error: str, *words: str) -> Ended:
    """Run a command for which this kind of call fails from a point on."""
    return _run(_injecting(f"{at.kind}:error={error}:when={at.number}+"), config, *words)


def _injecting(what: str) -> list[str]:
    return ["-o", os.devnull, "-e", f"inject={what}"]


def _run(options: list[str], config: Path, *words: str) -> Ended:
    traced = f"trace={','.join(KINDS)}"
    ran = subprocess.run(
        [
            *(strace(), "-f", "-qq", "-e", traced, "-e", "signal=none", *options),
            *(sys.executable, "-c", "from flows.command import main; main()", *words),
        ],
        env=environment(config),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Ended(ran.returncode, ran.stdout, ran.stderr)
