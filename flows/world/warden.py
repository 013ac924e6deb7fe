"""The warden of an embedded world: one process that starts a server process per site and waits.

Nobody is left behind: each site holds the reading end of a pipe whose writing end only the
warden holds, so that it ends when the warden does, however the warden ends. The warden itself
ends when it is told to (SIGTERM), or when its own standard input closes, which is its parent's
end; a detached warden has none and waits to be told. The lock file says whether a warden lives:
a process id on its own may be anybody's by now.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from flows.world.site_server import make_site
from flows.world.sites import SITES, WorldSite

DETACHED = "--detached"


def _end_with(fd: int) -> None:
    """End this process when the other end of ``fd`` closes."""

    def wait() -> None:
        while os.read(fd, 1):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def _serve(site: WorldSite, folder: Path, lifeline: int, ready: int) -> NoReturn:
    """Serve one site until the warden ends."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server = make_site(folder / f"{site.name}.requests")
    _end_with(lifeline)
    os.write(ready, f"{server.port}\n".encode())
    os.close(ready)
    server.serve_forever()
    os._exit(0)


def _fork(site: WorldSite, folder: Path, lifeline: tuple[int, int]) -> tuple[int, int]:
    """Start a site's process; return its id and where it will write its port."""
    listen, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(lifeline[1])
        _serve(site, folder, lifeline[0], ready)
    os.close(ready)
    return pid, listen


def _port(listen: int) -> int:
    """Wait for a site's port. A site that died first says nothing, and that is an error."""
    with os.fdopen(listen) as said:
        return int(said.readline())


def _announce(folder: Path, sites: dict[str, dict[str, int]], *, detached: bool) -> None:
    """Say what runs, all at once: readers see the whole world or none."""
    about = {"warden": os.getpid(), "detached": detached, "sites": sites}
    draft = folder / "world.json.new"
    draft.write_text(json.dumps(about, indent=2) + "\n")
    draft.replace(folder / "world.json")


def main(folder: Path, *, detached: bool) -> None:
    """Start all sites, announce them, and stay until told to end."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lifeline = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    started = [(site, *_fork(site, folder, lifeline)) for site in SITES]
    sites = {str(site.name): {"pid": pid, "port": _port(listen)} for site, pid, listen in started}
    _announce(folder, sites, detached=detached)
    if not detached:
        _end_with(sys.stdin.fileno())
    for _ in started:
        os.wait()  # A site that dies takes the world with it: half a world would mislead.
        os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), detached=DETACHED in sys.argv[2:])
