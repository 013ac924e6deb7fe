"""Starts and stops the embedded world: five S3 servers, five processes, five endpoints.

A world belongs to a folder, and a folder has one world at a time: starting again ends the old
one first. A world ends with the process that started it unless it is started detached.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows.world.sites import SITES
from flows.world.warden import DETACHED
from repatria.errors import Transient
from repatria.names import SiteName

START_S_MAX: Final = 60.0
STOP_S_MAX: Final = 10.0
POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A world that runs: where each site answers, and the processes behind it."""

    folder: Path
    warden: int
    detached: bool
    ports: Mapping[SiteName, int]
    pids: Mapping[SiteName, int]

    def endpoint(self, site: SiteName) -> str:
        """Return the URL at which a site answers."""
        return f"http://127.0.0.1:{self.ports[site]}"

    def requests(self, site: SiteName) -> list[str]:
        """Return what a site was asked so far, as ``METHOD path status`` lines, oldest first."""
        return (self.folder / f"{site}.requests").read_text("utf-8").splitlines()


def start(folder: Path, *, detached: bool = False) -> World:
    """Start a fresh, empty world, ending the one that stood here. Raises ``Transient``."""
    stop(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for site in SITES:
        (folder / f"{site.name}.requests").unlink(missing_ok=True)
    complaints = folder / "warden.log"
    with complaints.open("wb") as stderr:
        warden = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                sys.executable,
                "-m",
                "flows.world.warden",
                folder.resolve(),
                *([DETACHED] if detached else []),
            ],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            cwd=Path(__file__).parents[2],  # Where ``flows`` is, installed or not.
        )
    _children[folder.resolve()] = warden
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline and warden.poll() is None:
        if (world := running(folder)) is not None:
            return world
        time.sleep(POLL_S)
    stop(folder)
    raise Transient(f"the embedded world did not start; {complaints.name} in its folder says why")


def running(folder: Path) -> World | None:
    """Return the world that runs in ``folder``, if one does and is complete."""
    try:
        said = json.loads((folder / "world.json").read_text())
    except FileNotFoundError:
        return None
    if not _guarded(folder):
        return None
    sites = {SiteName(name): facts for name, facts in said["sites"].items()}
    return World(
        folder=folder,
        warden=said["warden"],
        detached=said["detached"],
        ports={name: facts["port"] for name, facts in sites.items()},
        pids={name: facts["pid"] for name, facts in sites.items()},
    )


def stop(folder: Path) -> bool:
    """End the world of ``folder``; return whether there was one. Ending none is no error."""
    world = running(folder)
    child = _children.pop(folder.resolve(), None)
    if world is not None:
        os.kill(world.warden, signal.SIGTERM)
    if child is not None:
        if child.stdin is not None:
            child.stdin.close()
        child.terminate()
        child.wait(STOP_S_MAX)
    deadline = time.monotonic() + STOP_S_MAX
    while _guarded(folder):
        if time.monotonic() > deadline:
            raise Transient("an embedded world is still there after it was told to end")
        time.sleep(POLL_S)
    (folder / "world.json").unlink(missing_ok=True)
    return world is not None or child is not None


@contextmanager
def embedded(folder: Path) -> Iterator[World]:
    """Run a world for the length of a ``with`` block."""
    world = start(folder)
    try:
        yield world
    finally:
        stop(folder)


def _guarded(folder: Path) -> bool:
    """Whether a warden or one of its sites lives: they hold the lock as long as they do."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


_children: Final[dict[Path, subprocess.Popen[bytes]]] = {}
"""Wardens that this process started: they are waited for, and their standard input kept open."""
