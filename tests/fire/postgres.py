"""The server of the ledger is killed under a live migration, again and again, and comes back.

    python -m tests.fire.postgres --times 50

A migration waits for the server within its patience and goes on, or stops with a named reason, and
the same command finishes it. Then an independent witness compares every record at home with the
legacy sites, and nothing was put twice. Commits are durable here, as in production.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from flows.world.seed import USERS_MIN, seed_world
from flows.world.servers import World, embedded
from flows.world.sites import SITES
from tests.live import settings, witness
from tests.live.console import Ran, ended, started
from tests.live.witness import Records, Witness
from tests.postgres import NOT_RUN, Postgres, programs

HOME: Final = {"IE": "dublin-1", "WEST": "dublin-1", "DACH": "dublin-2", "NORDIC": "hamar"}
STANDBY: Final = {"IE": "hamar", "DACH": "dublin-1"}
INCOMPLETE: Final = 14
"""How it ends well: all has moved, and some records wait for a person."""
OUT_OF_PATIENCE: Final = 12
POLL_S: Final = 0.005
WITHIN_S: Final = 120


@dataclass
class Counts:
    """What the trials came to."""

    kills: int = 0
    runs: int = 0
    carried_on: int = 0  #: Runs that outlived every kill.
    stopped: int = 0  #: Runs that ended with a named reason, and were finished by the next.


@dataclass
class Range:
    """A world, a server of ledgers, and what has become of them."""

    world: World
    server: Postgres
    folder: Path
    expected: Records
    chance: random.Random
    counts: Counts = field(default_factory=Counts)

    def trial(self, kills: int) -> None:
        """Move everything once, below a root of its own, while the server dies ``kills`` times."""
        root = f"r{self.counts.runs}/"
        config = self._config(root)
        for word in ("init", "plan"):
            done = ended(started(config, word))
            assert done.code == 0, done.said
        struck = 0
        process = self._start(config)
        while struck < kills:
            if self._moves(process, root, self.chance.randint(2, 12)):
                self.server.kill()
                struck += 1
                self.counts.kills += 1
                self.server.start()
                continue
            assert struck, "it ended before anything happened to it"
            break
        if not self._ended(process):
            self.counts.stopped += 1
            again = ended(self._start(config), WITHIN_S)
            assert again.code == INCOMPLETE, again.said
        else:
            self.counts.carried_on += 1
        self._holds(root)

    def _config(self, root: str) -> Path:
        tree = settings.of_world(self.world, root)
        tree["ledger"] = {"url": self.server.url(self.server.database())}
        tree["limits"] |= {"lease_s": 5, "call_s_max": 60}
        folder = self.folder / root
        folder.mkdir()
        return settings.write(folder, tree)

    def _start(self, config: Path) -> subprocess.Popen[str]:
        self.counts.runs += 1
        return started(config, "migrate", "--live")

    def _ended(self, process: subprocess.Popen[str]) -> bool:
        """Wait for a run to end; say whether it finished, and fail if it gave no good reason."""
        done: Ran = ended(process, WITHIN_S)
        assert done.code in (INCOMPLETE, OUT_OF_PATIENCE), done.said
        assert done.code == INCOMPLETE or "the ledger" in done.said, done.said
        return done.code == INCOMPLETE

    def _moves(self, process: subprocess.Popen[str], root: str, more: int) -> bool:
        """Wait until so many more puts were answered; False if the run ended before."""
        target, limit = len(self._puts(root)) + more, time.monotonic() + WITHIN_S
        while len(self._puts(root)) < target:
            assert time.monotonic() < limit, "nothing moves"
            if process.poll() is not None:
                return False
            select.select([], [], [], POLL_S)
        return True

    def _puts(self, root: str) -> list[tuple[str, str, str]]:
        """Return site, key and status of each put of data, and nothing that was only tried."""
        found = []
        for it in SITES:
            front = f"/{it.bucket}/{root}"
            for line in self.world.requests(it.name):
                method, _, rest = line.partition(" ")
                path, _, status = rest.rpartition(" ")
                key = unquote(path.partition("?")[0])
                if method == "PUT" and key.startswith(front) and witness.TRIED not in key:
                    found.append((str(it.name), key, status))
        return found

    def _holds(self, root: str) -> None:
        wanted: dict[str, Records] = {}
        for (dataset, region), rows in self.expected.items():
            for site in {HOME[region], STANDBY.get(region, HOME[region])}:
                wanted.setdefault(site, {})[dataset, region] = rows
        seen = witness.homes(self.world, root, settings.DATASETS, settings.regions())
        assert seen == wanted, "what stands at home is not what should"
        taken = Counter((site, key) for site, key, status in self._puts(root) if status == "200")
        assert set(taken.values()) == {1}, "a key was put twice"


@contextmanager
def firing(folder: Path, seed: int) -> Iterator[Range]:
    """Open a range for the length of the block."""
    server = Postgres()
    try:
        with embedded(folder / "world") as world:
            seed_world(world, USERS_MIN)
            expected = Witness(witness.laid(world), settings.regions()).expected(settings.DATASETS)
            yield Range(world, server, folder, expected, random.Random(seed))
    finally:
        server.stop()


def main() -> int:
    """Kill as often as asked, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--times", type=int, default=12, help="how often the server is killed")
    asked.add_argument("--seed", type=int, default=20_260_517)
    given = asked.parse_args()
    if programs() is None:
        sys.stdout.write(f"{NOT_RUN}: kills of the ledger's server\n")
        return 1
    os.environ |= {"LIVE_TEST_ACCESS_KEY_ID": "AKIAFIRE", "LIVE_TEST_SECRET_ACCESS_KEY": "none"}
    with tempfile.TemporaryDirectory() as folder, firing(Path(folder), given.seed) as fire:
        while fire.counts.kills < given.times:
            fire.trial(min(3, given.times - fire.counts.kills))
        told = fire.counts
    sys.stdout.write(
        f"ledger's server killed: {told.kills} times under {told.runs} runs, of which"
        f" {told.carried_on} carried on and {told.stopped} stopped with a reason;"
        " nothing lost, nothing doubled\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
