"""The demonstration: a clean embedded world, the whole job as a user would type it, a verdict.

Each step is the command itself, called in this process. At the end the outcome is held against
what was laid down when the world was filled; the demonstration ends well (exit 0) only if every
count is as it must be. Ctrl-C ends it between two batches, and the world with it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flows.command.app import app
from flows.report.numbers import plural
from flows.world import demo_screen as screen
from flows.world.config import write_config
from flows.world.found import look
from flows.world.interrupts import Interrupts
from flows.world.seed import seed_world
from flows.world.servers import World, embedded, running
from flows.world.sites import CREDENTIALS
from flows.world.steps import STEPS, Step
from flows.world.tally import Seeded
from flows.world.verdict import checks
from repatria.errors import Refused, RepatriaError, Stopped

FOLDER: Final = Path(".world/demo")
USERS: Final = 60_000
DISAGREES: Final = 11
KEPT: Final = ("config", "state")
_PREFECT: Final = ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH")


class NotAWorld(Refused):
    """The folder holds something that is not an embedded world."""

    hint = "Name another folder, or an empty one: what stands there would be removed."


class StepFailed(RepatriaError):
    """A step of the demonstration did not end as it must."""

    hint = "What the command said stands above; the log of a step is its own output."
    exit_code = DISAGREES


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.world.demo", description=__doc__)
    parser.add_argument("--users", type=int, default=USERS, help="people in the world")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the world is kept")
    asked = parser.parse_args(arguments)
    try:
        return demonstrate(asked.folder, asked.users)
    except KeyboardInterrupt:
        screen.stopped()
        return Stopped.exit_code
    except RepatriaError as error:
        screen.failed(error)
        return error.exit_code


def demonstrate(folder: Path, users: int) -> int:
    """Run the whole job in a clean world; return 0 if all of it came out as it must."""
    _clean(folder)
    screen.welcome()
    with embedded(folder) as world, Interrupts() as interrupts:
        with screen.waiting(
            f"Filling five S3 sites on this machine with {plural(users, 'person', 'people')}"
        ):
            seeded = seed_world(world, users)
            config = write_config(world)
        screen.filled(seeded)
        with environment(folder, config):
            for number, step in enumerate(STEPS, 1):
                _take(step, number, interrupts)
            agreed = _judge(world, seeded, config)
    screen.where_next(folder, config)
    return 0 if agreed else DISAGREES


@contextmanager
def environment(folder: Path, config: Path) -> Iterator[None]:
    """Set what a user would: where the configuration is, and its credentials. No Prefect API."""
    before = dict(os.environ)
    for name in _PREFECT:
        os.environ.pop(name, None)
    # An active profile of the person's own would send the job to their server.
    mine = {"REPATRIA_CONFIG": str(config), "PREFECT_HOME": str(folder / "prefect")}
    os.environ.update(CREDENTIALS | mine)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _clean(folder: Path) -> None:
    """Remove what an earlier demonstration kept. Raises ``NotAWorld`` for what is not one."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / "lock").exists():
        raise NotAWorld("the folder is not empty, and no embedded world stood there")
    if running(folder) is not None:
        screen.ends_the_old()
    for name in KEPT:
        shutil.rmtree(folder / name, ignore_errors=True)


def _take(step: Step, number: int, interrupts: Interrupts) -> None:
    screen.heading(step, number, len(STEPS))
    code = app(step.command.split(), prog_name="repatria", standalone_mode=False) or 0
    if interrupts.heard():
        raise KeyboardInterrupt
    if code != step.ends:
        raise StepFailed(f"`repatria {step.command}` ended with {code} and not with {step.ends}")
    screen.ended(step)


def _judge(world: World, seeded: Seeded, config: Path) -> bool:
    with screen.waiting("Comparing with what was laid down, and counting every parcel at home"):
        found = checks(seeded, look(world, config))
    screen.verdict(found)
    return all(check.agrees for check in found)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
