"""Repatria's own command, run as people run it: in a process of its own, or in this one.

A process of its own can be killed; this one need not import everything anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.command.app import app
from flows.wiring import CONFIG_VARIABLE

ENTRY = "from flows.command import main; main()"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """How a command ended, and all that it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams as one text, its lines joined: whoever looks for words ignores breaks."""
        return " ".join(f"{self.out} {self.err}".split())


@dataclass(frozen=True)
class Console:
    """Runs commands on one configuration."""

    config: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def run(self, *arguments: str) -> Ran:
        """Run a command in this process, to its end."""
        self.patch.setenv(CONFIG_VARIABLE, str(self.config))
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            app(list(arguments), prog_name="repatria")
        out, err = self.capture.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(code, out, err)

    def expect(self, code: int, *arguments: str) -> Ran:
        """Run a command that must end with ``code``."""
        ran = self.run(*arguments)
        assert ran.code == code, f"{arguments} ended with {ran.code}:\n{ran.out}\n{ran.err}"
        return ran


def started(config: Path, *arguments: str, entry: str = ENTRY) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", entry, *arguments],
        env={**os.environ, CONFIG_VARIABLE: str(config)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], within_s: float = 120) -> Ran:
    """Wait for a command to end, and return what it came to."""
    out, err = process.communicate(timeout=within_s)
    return Ran(process.returncode, out, err)
