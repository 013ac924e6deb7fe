"""Kinds of trials with worlds of their own: each is made when the first trial of its kind is.

The ledger's server, the matrix of a store's faults, storms of SlowDown and the fuzz are used as
they are; what has its trials in the suite alone (Prefect's processes, hostile inputs, planted bugs)
is given to pytest or to its program, and a trial is one test or one bug.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from tests.fire import fuzz, matrix, postgres, slow_down
from tests.fire.counts import Counts
from tests.fire.faults import Fault
from tests.fire.fuzzed import TARGETS
from tests.fire.ground import Ground
from tests.fire.kinds import Kind
from tests.fire.matrix import Blow, Matrix
from tests.fire.proxy import proxied
from tests.fire.store import plain_client, s3_server
from tests.fire.world import ROOT
from tests.planted.bug import bugs
from tests.postgres import programs

CELLS: Final = [
    (fault, cell)
    for fault in Fault
    for cell in (*matrix.cells_of(fault), *matrix.promises_of(fault))
]
PREFECT: Final = "tests/live/test_prefect_killed.py"
CASES: Final = "tests/scenario/test_cases_of_others.py"
FUZZ_S: Final = 60.0
KILLS: Final = 2
"""Of the ledger's server in one trial."""
_TESTS: Final = re.compile(r"(\d+) (passed|failed|error|skipped)")


@dataclass
class Apart:
    """Opens each world as it is needed; all of them end with ``stack``."""

    seed: int
    stack: ExitStack = field(default_factory=ExitStack)

    def kinds(self) -> list[Kind]:
        """Return each kind, and how many trials are wanted of it."""
        server = "" if programs() else "PostgreSQL"
        cases = "" if os.environ.get("REPATRIA_CASES") else "REPATRIA_CASES"
        return [
            Kind(
                "every fault of a store at every operation", len(CELLS), self.cell, is_listed=True
            ),
            Kind("storms of SlowDown", 2, self.slow_down, mixes=False),
            Kind("the ledger's server killed", 10 // KILLS, self.ledger_server, server),
            Kind("Prefect's server or worker killed", 4, self.prefect, mixes=False),
            Kind("hostile and odd inputs of others", 1, self.cases, cases, mixes=False),
            Kind(
                "a reader of inputs, fuzzed for a minute",
                len(TARGETS),
                self.fuzzed,
                mixes=False,
            ),
            Kind(
                "planted bugs, each of which must be noticed",
                len(bugs()),
                self.planted,
                mixes=False,
            ),
        ]

    @cached_property
    def _folder(self) -> Path:
        return Path(self.stack.enter_context(TemporaryDirectory()))

    @cached_property
    def _matrix(self) -> Matrix:
        os.environ.update(matrix.environment())
        url = self.stack.enter_context(s3_server())
        s3 = self.stack.enter_context(plain_client(url))
        proxy = self.stack.enter_context(proxied(url, self.seed))
        ground = Ground(self._folder / "matrix", s3, proxy.url)
        ground.lay()
        ground.begin()
        ground.trust()
        return Matrix(ground, proxy)

    @cached_property
    def _ledgers(self) -> postgres.Range:
        folder = self._folder / "ledgers"
        folder.mkdir()
        return self.stack.enter_context(postgres.firing(folder, self.seed))

    def cell(self, number: int, chance: Random, counts: Counts) -> None:
        """Strike one operation with one fault: once, twice, or for as long as the run lasts."""
        fault, cell = CELLS[number % len(CELLS)]
        blow = Blow(fault, 0, chance.choice((1, 2, None)))
        with counts.trial("matrix", f"{fault} on {cell}, {blow.times}") as count:
            count.struck += bool(self._matrix.trial(blow, [cell]))

    def slow_down(self, number: int, _: Random, counts: Counts) -> None:
        with counts.trial("storm of SlowDown", f"{number}") as count:
            count.struck += slow_down.outlived(self._folder / f"slow-{number}", self.seed + number)

    def ledger_server(self, _: int, chance: Random, counts: Counts) -> None:
        """Kill the server of a ledger; each kill counts as a trial."""
        fire = self._ledgers
        fire.chance, before = chance, fire.counts.kills
        with counts.trial("ledger's server", f"{KILLS} kills") as count:
            fire.trial(KILLS)
            count.struck += fire.counts.kills - before
            count.trials = count.struck

    def prefect(self, number: int, _: Random, counts: Counts) -> None:
        self._pytest(counts, f"{PREFECT}, round {number}", PREFECT)

    def cases(self, _: int, __: Random, counts: Counts) -> None:
        self._pytest(counts, CASES, CASES)

    def fuzzed(self, number: int, _: Random, counts: Counts) -> None:
        """Alter valid inputs of one parser for a minute; each altered input counts as a trial."""
        name = sorted(TARGETS)[number]
        with counts.trial("fuzz", name) as count:
            count.trials = count.struck = 0
            for cases in fuzz.rounds(name, self.seed % 1000 * 1_000_000, FUZZ_S):
                count.trials += cases
                count.struck += cases

    def planted(self, number: int, _: Random, counts: Counts) -> None:
        bug = bugs()[number]
        with counts.trial("planted", bug.name) as count:
            done = _program("tests.planted", bug.name)
            assert done.returncode == 0, f"{bug.name} was not noticed: {done.stdout[-500:]}"
            count.struck += 1

    def _pytest(self, counts: Counts, what: str, *told: str) -> None:
        """Give tests to pytest; each is a trial."""
        with counts.trial("pytest", what) as count:
            done = _program("pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *told)
            found = {word: int(number) for number, word in _TESTS.findall(done.stdout[-500:])}
            count.trials, count.struck = sum(found.values()), found.get("passed", 0)
            assert done.returncode == 0, f"exit {done.returncode}: {done.stdout[-3000:]}"
            assert "skipped" not in found, "some were not run"


def _program(module: str, *told: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *told],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
