"""A desk to work at: Prefect's UI, a worker and the deployments, before an embedded world.

``up`` starts what is missing and returns; everything stays until ``down``. All of it is on
loopback and talks to nobody: no telemetry, no look for a newer version, and the UI answers no
other origin. ``folder`` keeps the desk: ``world/`` with its configuration and state, ``prefect/``,
``server.log``, ``worker.log``, ``env`` for a shell, and ``port``.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from flows.world import desk_screen as screen
from flows.world import servers
from flows.world.config import write_config
from flows.world.seed import seed_world
from flows.world.services import Service
from flows.world.sites import CREDENTIALS
from repatria.errors import RepatriaError, Transient

FOLDER: Final = Path(".world")
USERS: Final = 20_000
PORT: Final = 4200
POOL: Final = "repatria"
START_S_MAX: Final = 180.0
COMMAND_S_MAX: Final = 300.0
_COMMAND: Final = "from flows.command import main; main()"


class NotPrepared(Transient):
    """Something that the desk needs could not be done."""

    hint = "The last lines of what it said stand above; `make down`, then `make ui`, begins anew."


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that runs for one folder."""

    folder: Path

    @property
    def world(self) -> Path:
        """Where the embedded world is kept."""
        return self.folder / "world"

    @property
    def server(self) -> Service:
        """The Prefect server."""
        return Service(self.folder, "server")

    @property
    def worker(self) -> Service:
        """The worker, which starts a process per flow run."""
        return Service(self.folder, "worker")

    @property
    def url(self) -> str:
        """Where the UI answers."""
        return f"http://127.0.0.1:{int((self.folder / 'port').read_text())}"

    @property
    def complete(self) -> bool:
        """Whether all of it runs."""
        return self.server.alive and self.worker.alive and servers.running(self.world) is not None

    def variables(self) -> Mapping[str, str]:
        """Return what a command needs in its environment to work at this desk."""
        return {
            **CREDENTIALS,
            "REPATRIA_CONFIG": str((self.world / "config").resolve()),
            "PREFECT_API_URL": f"{self.url}/api",
            "PREFECT_HOME": str((self.folder / "prefect").resolve()),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }

    def environment(self) -> dict[str, str]:
        """Return the whole environment of what runs here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
        return {
            **kept,
            **self.variables(),
            "PREFECT_UI_URL": self.url,
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": self.url,
            "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_UI_V2_ENABLED": "false",  # Links that Prefect prints open the first.
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_RUNNER_POLL_FREQUENCY": "2",
            "PYTHONUNBUFFERED": "1",
        }


def up(folder: Path, users: int = USERS, port: int = PORT) -> Desk:
    """Start all of it unless it runs. Raises ``Transient``; what was started by then stays."""
    desk = Desk(folder)
    if desk.complete:
        screen.runs_already()
        return desk
    down(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "port").write_text(f"{_free(port)}\n")
    with screen.step("Starting the Prefect server"):
        serve(desk)
        _fill(desk, users)
        ready(desk)
    with screen.step("Making a ledger and a first plan"):
        _repatria(desk, "init")
        _repatria(desk, "plan")
    with screen.step("Registering the deployments, starting a worker"):
        register(desk)
        staff(desk)
    _note(desk)
    return desk


def down(folder: Path) -> bool:
    """End everything that ``up`` started; return whether there was anything."""
    desk = Desk(folder)
    # The worker first: it ends its runs between two batches, and tells the server.
    ended = [desk.worker.stop(), desk.server.stop(), servers.stop(desk.world)]
    return any(ended)


def serve(desk: Desk) -> None:
    """Start the Prefect server; ``ready`` waits until it answers."""
    port = desk.url.rpartition(":")[2]
    desk.server.start(_python("flows.world.ui_server", port), desk.environment())


def ready(desk: Desk) -> None:
    """Wait until the server answers. Raises ``Transient`` if it does not."""
    desk.server.ready(lambda: _answers(desk.url), START_S_MAX)


def register(desk: Desk) -> None:
    """Make the pool and the deployments known to the server."""
    _prefect(desk, "work-pool", "create", POOL, "--type", "process", "--overwrite")
    _prefect(desk, "--no-prompt", "deploy", "--all")


def staff(desk: Desk) -> None:
    """Start a worker, which starts a process for each flow run."""
    desk.worker.start(
        _python("prefect", "worker", "start", "--pool", POOL, "--name", "desk"),
        desk.environment(),
    )


def _fill(desk: Desk, users: int) -> None:
    world = servers.start(desk.world, detached=True)
    seed_world(world, users)
    write_config(world)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _repatria(desk: Desk, verb: str) -> None:
    _run(desk, [sys.executable, "-c", _COMMAND, verb])


def _prefect(desk: Desk, *arguments: str) -> None:
    _run(desk, _python("prefect", *arguments))


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _run(desk: Desk, command: list[str]) -> None:
    ended = subprocess.run(  # noqa: S603 - our own interpreter and modules
        command,
        env=desk.environment(),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_S_MAX,
        check=False,
    )
    if ended.returncode != 0:
        screen.said(ended.stdout)
        raise NotPrepared("a command of the desk failed", exit=ended.returncode)


def _free(port: int) -> int:
    """Return ``port`` if nobody listens there, else one that is free."""
    for wanted in (port, 0):
        with socket.socket() as trying:
            trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trying.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(trying.getsockname()[1])
    raise Transient("this machine has no free port on loopback")


def _note(desk: Desk) -> None:
    """Write down what a shell needs, to be sourced."""
    lines = [f"export {name}='{value}'\n" for name, value in desk.variables().items()]
    (desk.folder / "env").write_text("".join(lines))


def main(arguments: list[str] | None = None) -> int:
    """Start or end the desk; return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.world.desk", description=__doc__)
    parser.add_argument("what", choices=["up", "down"])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the desk is kept")
    parser.add_argument("--users", type=int, default=USERS, help="people in a new world")
    parser.add_argument("--port", type=int, default=PORT, help="of the UI, if it is free")
    asked = parser.parse_args(arguments)
    try:
        if asked.what == "down":
            screen.ended(anything=down(asked.folder))
        else:
            screen.ready(up(asked.folder, asked.users, asked.port))
    except KeyboardInterrupt:
        down(asked.folder)
        screen.ended(anything=True)
        return 14
    except RepatriaError as error:
        screen.failed(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
