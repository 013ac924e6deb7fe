"""A migration that is killed, stopped, frozen and taken over loses nothing and doubles nothing."""

from __future__ import annotations

import random
import select
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote

import pytest

from flows.wiring import open_house
from flows.world.servers import World
from flows.world.sites import SITES
from repatria.names import DatasetName, RegionName
from tests.fire.counts import COUNTS
from tests.live import settings, witness
from tests.live.console import Console, ended, started
from tests.live.witness import Records, Witness

KILLS = 8
INCOMPLETE, TAKEN_OVER = 14, 13
POLL_S = 0.01
WITHIN_S = 90
STANDBY = {"IE": "hamar", "DACH": "dublin-1"}
HOME = {"IE": "dublin-1", "WEST": "dublin-1", "DACH": "dublin-2", "NORDIC": "hamar"}


class Put(NamedTuple):
    """One put, as a store remembers it."""

    site: str
    key: str
    status: int


@dataclass(frozen=True)
class Move:
    """One migration: its configuration, and the part of every home that it writes to."""

    world: World
    console: Console
    root: str

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.console.config.parent / "state" / "ledger.sqlite3"

    def puts(self) -> list[Put]:
        """Return each put of data and its answer, site by site, the oldest first."""
        found = []
        for it in SITES:
            front = f"/{it.bucket}/{self.root}"
            for line in self.world.requests(it.name):
                method, _, rest = line.partition(" ")
                path, _, status = rest.rpartition(" ")
                key = unquote(path.partition("?")[0])
                if method == "PUT" and key.startswith(front) and witness.TRIED not in key:
                    found.append(Put(it.name, key.removeprefix(f"/{it.bucket}/"), int(status)))
        return found

    def taken(self) -> Counter[tuple[str, str]]:
        """Return how often something was put at each site and key, and taken."""
        return Counter((put.site, put.key) for put in self.puts() if put.status == 200)

    def committed(self) -> set[tuple[str, str]]:
        """Return the site and key of each parcel that has a receipt."""
        with open_house(self.console.config) as house:
            ledger = house.ledger(read_only=True)
            return {
                (line.site, line.object.key)
                for name in settings.DATASETS
                for region in settings.regions()
                for receipt in ledger.receipts(DatasetName(name), RegionName(region))
                for line in receipt.lines
            }

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start the one command that there is, whatever happened before."""
        return started(self.console.config, "migrate", "--live", *options)

    def finish(self) -> None:
        """Run the same command to its end, which waits for people as the world has it."""
        self.console.expect(INCOMPLETE, "migrate", "--live")

    def wait_for_puts(self, process: subprocess.Popen[str], more: int) -> bool:
        """Wait until so many more puts were answered; False if the process ended before."""
        target, limit = self._answered() + more, time.monotonic() + WITHIN_S
        while self._answered() < target:
            assert time.monotonic() < limit, "nothing moves"
            if process.poll() is not None:
                return False
            select.select([], [], [], POLL_S)
        return True

    def _answered(self) -> int:
        """Count the answered puts, quickly."""
        found = 0
        for it in SITES:
            log = (self.world.folder / f"{it.name}.requests").read_bytes()
            front = f"PUT /{it.bucket}/{self.root}"
            found += log.count(front.encode()) - log.count(f"{front}{witness.TRIED}".encode())
        return found


class Moves(Protocol):
    """Plans a migration below a root of its own."""

    def __call__(self, lease_s: float, stripe_slices: int = 4) -> Move: ...


@pytest.fixture
def planned(lived_in: World, console: Console, tmp_path: Path) -> Moves:
    def plan(lease_s: float, stripe_slices: int = 4) -> Move:
        root = f"{tmp_path.name}/"
        tree = settings.of_world(lived_in, root)
        tree["limits"] |= {"lease_s": lease_s, "stripe_slices": stripe_slices}
        settings.write(tmp_path, tree)
        console.expect(0, "init")
        console.expect(0, "plan")
        return Move(lived_in, console, root)

    return plan


@pytest.fixture(scope="module")
def expected(lived_in: World) -> Records:
    return Witness(witness.laid(lived_in), settings.regions()).expected(settings.DATASETS)


def test_killed_again_and_again_it_finishes_and_no_receipt_is_ever_put_again(
    planned: Moves, expected: Records
) -> None:
    # A restart that waited for the leases of the dead would not end within our patience.
    move, chance = planned(4 * WITHIN_S), random.Random(20_260_517)
    for _ in range(KILLS):
        done, answered = move.committed(), Counter(move.puts())
        process = move.start()
        assert move.wait_for_puts(process, chance.randint(3, 15)), "it ended before it was killed"
        process.kill()
        COUNTS.of("killed: a command, with five stores").trials += 1
        COUNTS.of("killed: a command, with five stores").struck += ended(process).code == -9
        again = {(put.site, put.key) for put in Counter(move.puts()) - answered}
        assert not again & done, "a parcel with a receipt was put again"
    done, answered = move.committed(), Counter(move.puts())
    move.finish()
    assert 0 < len(done) < len(move.committed()), "there was something left to do, and not all"
    again = {(put.site, put.key) for put in Counter(move.puts()) - answered}
    assert not again & done
    holds(move, expected)


def test_a_worker_that_froze_while_another_finished_does_nothing_wrong_when_it_thaws(
    planned: Moves, expected: Records
) -> None:
    move = planned(1)
    frozen = move.start()
    assert move.wait_for_puts(frozen, 25)
    freeze(frozen, move.ledger)
    try:
        move.finish()
        holds(move, expected)
        before = Counter(move.puts())
    finally:
        frozen.send_signal(signal.SIGCONT)
    ghost = ended(frozen)
    assert ghost.code in (INCOMPLETE, TAKEN_OVER), (ghost.code, ghost.err)
    assert all(put.status == 412 for put in Counter(move.puts()) - before)
    holds(move, expected)


def test_asked_to_stop_it_stops_between_two_batches_and_the_same_command_carries_on(
    planned: Moves, expected: Records
) -> None:
    # One stripe for all posts, so that a stop between two stripes would be seen to be too late.
    move = planned(4 * WITHIN_S, stripe_slices=100)
    stop_with(signal.SIGINT, move, "--dataset", "posts")
    some = move.committed()
    stop_with(signal.SIGTERM, move)
    move.finish()
    posts = {(site, key) for site, key in move.committed() if "/posts/" in key}
    assert some < posts, "it went on for as long as there were posts"
    holds(move, expected)


def stop_with(number: signal.Signals, move: Move, *options: str) -> None:
    """Ask a migration to stop as soon as it puts something."""
    process = move.start(*options)
    assert move.wait_for_puts(process, 1)
    process.send_signal(number)
    stopped = ended(process)
    assert stopped.code == INCOMPLETE
    assert "Stopping at the next batch boundary" in stopped.err
    assert "Run the same command again to carry on" in stopped.said
    put = {(it.site, it.key) for it in move.puts() if witness.KEPT not in it.key}
    assert put == move.committed(), "the batch under way was finished"


def freeze(process: subprocess.Popen[str], ledger: Path) -> None:
    """Stop a worker where it holds no lock of the ledger: for that all others would wait."""
    for _ in range(1000):
        process.send_signal(signal.SIGSTOP)
        with closing(sqlite3.connect(ledger, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                continue
            connection.execute("ROLLBACK")
            return
    raise AssertionError("it never let go of the ledger")


def holds(move: Move, expected: Records) -> None:
    """Check what stands at every site of the enclave, and that nothing was put twice."""
    seen = witness.homes(move.world, move.root, settings.DATASETS, settings.regions())
    wanted: dict[str, Records] = {}
    for (dataset, region), rows in expected.items():
        for site in (HOME[region], STANDBY.get(region)):
            if site is not None:
                wanted.setdefault(site, {})[dataset, region] = rows
    assert seen == wanted
    assert set(move.taken().values()) == {1}, "a key was put twice"
    assert move.committed() <= set(move.taken())
