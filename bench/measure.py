"""Runs a command and measures it: wall, CPU of its whole tree, peak memory.

CPU seconds are those of the kernel's own account of everything that was begun below the
command and has ended (``wait4``); whoever is orphaned comes to us, and is counted too. Memory is
the greatest sum of PSS over the tree, looked at each 50 ms: PSS parts what is shared among those
who share it, so that processes are not punished for one library. Because to ask for PSS costs the
one who is asked, it is asked only when the cheap sum of RSS, which it cannot exceed, allows for a
new peak. Source: proc(5), wait4(2), prctl(2) ``PR_SET_CHILD_SUBREAPER``.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

SAMPLE_S: Final = 0.05
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SUBREAPER: Final = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is run. ``cores`` is how many CPUs it may use."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    cores: int = 2
    wall_s_max: float = 1200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What it took. ``largest_bytes`` is the peak RSS of the largest single process.

    ``root_cpu_s`` is the part of ``cpu_s`` of the command's first process, without its children.
    """

    code: int
    wall_s: float
    cpu_s: float
    root_cpu_s: float
    peak_bytes: int
    largest_bytes: int


def measure(command: Command) -> Measured:
    """Run ``command`` to its end; its output goes to its log. Ends what outstays its time."""
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)
    others = set(_children(os.getpid()))
    with command.log.open("ab") as log:
        began = time.perf_counter()
        child = subprocess.Popen(  # noqa: S603 - what the benchmark itself lists
            list(command.arguments),
            env=dict(command.environment),
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    os.sched_setaffinity(child.pid, sorted(os.sched_getaffinity(0))[: command.cores])
    try:
        peaks, used = _watched(child.pid, began + command.wall_s_max, others)
    except BaseException:
        list(_buried(others))
        raise
    wall_s = time.perf_counter() - began
    code = child.returncode = os.waitstatus_to_exitcode(used[0])
    usages = [used[1], *_buried(others)]
    return Measured(
        code=code,
        wall_s=wall_s,
        cpu_s=sum(one.ru_utime + one.ru_stime for one in usages),
        root_cpu_s=used[2],
        peak_bytes=peaks.tree_bytes,
        largest_bytes=peaks.largest_bytes,
    )


Used: TypeAlias = "tuple[int, resource.struct_rusage, float]"
"""Status, usage with all children, and the CPU seconds of the process alone."""


@dataclass(slots=True)
class _Peaks:
    """The most that was seen so far."""

    tree_bytes: int = 0
    largest_bytes: int = 0

    def look(self, roots: set[int]) -> None:
        """Look at the trees below ``roots``. Nobody's PSS is above its RSS."""
        tree = list(_below(roots))
        self.largest_bytes = max(self.largest_bytes, *map(_high_water, tree), 0)
        if sum(map(_rss, tree)) > self.tree_bytes:
            self.tree_bytes = max(self.tree_bytes, sum(map(_pss, tree)))


def _watched(pid: int, deadline: float, others: set[int]) -> tuple[_Peaks, Used]:
    """Wait for ``pid``, looking at memory meanwhile."""
    peaks = _Peaks()
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peaks.look(set(_children(os.getpid())) - others)
        if time.perf_counter() > deadline:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(SAMPLE_S)
    own_s = own_cpu_s(pid)
    _, status, usage = os.wait4(pid, 0)
    return peaks, (status, usage, own_s)


def own_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process so far, without its children's; 0 if it is gone."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _buried(others: set[int]) -> Iterator[resource.struct_rusage]:
    """End and bury whoever was left behind, and yield what each used."""
    while orphans := set(_children(os.getpid())) - others:
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
            yield os.wait4(orphan, 0)[2]


def _below(roots: Iterable[int]) -> Iterator[int]:
    for pid in roots:
        yield pid
        yield from _below(_children(pid))


def _children(pid: int) -> Iterator[int]:
    for task in _listed(Path(f"/proc/{pid}/task")):
        yield from map(int, _read(task / "children").split())


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def _rss(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if fields else 0


def _high_water(pid: int) -> int:
    lines = _read(Path(f"/proc/{pid}/status")).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _pss(pid: int) -> int:
    lines = _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _read(path: Path) -> str:
    """Read a file of the kernel's; empty if whom it tells of is gone."""
    try:
        return path.read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""
