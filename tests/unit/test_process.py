"""Who a process is, and whether another is dead: tried on real children."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.process import holder, is_dead

SAYS_ITS_NAME = (
    "import sys; from connectors.process import holder;"
    " print(holder(), flush=True); sys.stdin.read()"
)


@contextmanager
def child() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a process that says its name and waits until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", SAYS_ITS_NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()


def test_we_are_alive_and_always_the_same() -> None:
    assert holder() == holder()
    assert not is_dead(holder())


def test_a_child_is_alive_until_it_ends() -> None:
    with child() as (process, name):
        assert name != holder()
        assert not is_dead(name)
        process.communicate()
        assert is_dead(name)


def test_a_child_that_was_killed_and_not_yet_buried_is_dead() -> None:
    with child() as (process, name):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(name)


def test_a_number_that_is_used_again_is_another_process() -> None:
    boot, number, started = holder().split("/")
    assert is_dead(f"{boot}/{number}/{int(started) - 1}")


def test_nobody_of_another_machine_boot_or_container_is_called_dead() -> None:
    boot, number, _ = holder().split("/")
    container = boot.rpartition("-")[0]
    for name in (f"other/{number}/1", f"{container}-1/{number}/1", f"{container}/{number}/1"):
        assert not is_dead(name)


def test_what_is_no_name_is_not_dead() -> None:
    boot = holder().split("/")[0]
    for name in ("", "/", "worker", f"{boot}/", f"{boot}/x/1", f"{boot}/-1/1", "/1/1"):
        assert not is_dead(name)
