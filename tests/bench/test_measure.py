"""Whatever a command begins is measured with it, and ends with it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from bench.measure import Command, measure


def test_the_whole_tree_is_measured_and_orphans_are_ended(tmp_path: Path) -> None:
    burn = "sum(i * i for i in range(2_000_000))"
    program = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        "subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1, start_new_session=True)\n"
    )
    command = Command(
        arguments=[sys.executable, "-c", program],
        environment={},
        folder=tmp_path,
        log=tmp_path / "log",
    )
    alone = measure(replace(command, arguments=[sys.executable, "-c", "pass"]))
    whole = measure(command)
    assert (alone.code, whole.code) == (0, 0)
    assert whole.cpu_s > alone.cpu_s
    assert whole.cpu_s > whole.root_cpu_s


def test_a_command_that_outstays_its_time_is_ended(tmp_path: Path) -> None:
    command = Command(
        arguments=[sys.executable, "-c", "import signal; signal.pause()"],
        environment={},
        folder=tmp_path,
        log=tmp_path / "log",
        wall_s_max=0.5,
    )
    assert measure(command).code == -9
