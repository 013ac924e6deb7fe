"""A disk that is full: a small file system in memory under a ground's state folder.

Mounting wants root. Room is taken by a file of ours and given back by emptying it, as an operator
would; where files are scarce, by empty files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.fire.world import Ground

SIZE: Final = "4m"
FILES: Final = 600
_BALLAST: Final = "ballast"


@dataclass(frozen=True)
class SmallDisk:
    """The disk under one state folder."""

    folder: Path

    def leave_bytes(self, free: int) -> None:
        """Take all room but so many bytes."""
        now = os.statvfs(self.folder)
        taken = now.f_bavail * now.f_frsize - free
        with (self.folder / _BALLAST).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, taken))

    def leave_files(self, free: int) -> None:
        """Take all room for new files but for so many."""
        folder = self.folder / _BALLAST
        folder.mkdir()
        for number in range(os.statvfs(self.folder).f_favail - free):
            (folder / str(number)).touch()

    def make_room(self) -> None:
        """Give back what was taken."""
        ballast = self.folder / _BALLAST
        if ballast.is_dir():
            shutil.rmtree(ballast)
        else:
            ballast.unlink()


def may_mount() -> bool:
    """Say whether we may mount."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def must_mount() -> None:
    """Skip loudly, or fail where nothing may be skipped, unless we may mount."""
    if not may_mount():
        what = "NOT RUN for want of the right to mount: the tests of a full disk"
        if os.environ.get("CI"):
            pytest.fail(what)
        pytest.skip(what)


@contextmanager
def small_disk(ground: Ground) -> Iterator[SmallDisk]:
    """Put the state of a ground on a small disk for the length of a ``with`` block."""
    must_mount()
    shutil.rmtree(ground.state, ignore_errors=True)
    ground.state.mkdir()
    options = f"size={SIZE},nr_inodes={FILES},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "fire", ground.state], check=True)
    try:
        shutil.copytree(ground.before, ground.state, dirs_exist_ok=True)
        yield SmallDisk(ground.state)
    finally:
        subprocess.run(["umount", ground.state], check=True)
