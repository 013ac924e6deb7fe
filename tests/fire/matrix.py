"""The matrix: each fault on each operation, through the real engine, judged by plain Python.

One trial gives the commands (plan, migrate) while faults strike, again and again until nothing is
left to strike, and then once more without. After each run that calls itself complete, what stands
at home must be exactly what the records say; a fault that never struck fails its trial.

    python -m tests.fire.matrix --times 50 --seed 1    # each cell so often, at random requests
    python -m tests.fire.matrix --only get --table     # one trial a cell, as a table of outcomes

``UploadPart``, ``CompleteMultipartUpload`` and ``DELETE`` have no column: the engine asks for none
of them, and every trial checks that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fire.asked import ENGINE, Operation
from tests.fire.faults import Fault
from tests.fire.ground import HOME, LEGACY, Ground
from tests.fire.proxy import Asked, FaultProxy, Rule, proxied
from tests.fire.store import plain_client, s3_server

RUNS_MAX = 4  # More than a trial has cells: each may stop one run.
AGAIN = "again"
VERIFIED = "verification differs"


@dataclass(frozen=True)
class Cell:
    """An operation at one side. ``later``: it comes only once an object has changed."""

    operation: Operation
    path: str
    later: bool = False

    def __str__(self) -> str:
        return f"{self.operation} {self.path.removeprefix('fire-').rstrip('/')}"

    def struck(self, asked: Asked) -> bool:
        """Whether a fault struck a request of this cell."""
        here = asked.operation is self.operation and asked.path.startswith(self.path)
        return here and asked.fault is not None


CELLS = (
    Cell(Operation.LIST, LEGACY),
    Cell(Operation.GET, f"{LEGACY}/"),
    Cell(Operation.GET_RANGE, f"{LEGACY}/people/b"),
    Cell(Operation.GET_RANGE, f"{LEGACY}/notes/b"),
    Cell(Operation.HEAD, f"{LEGACY}/"),
    Cell(Operation.TAGS, f"{LEGACY}/"),
    Cell(Operation.LOCATION, HOME),
    Cell(Operation.HEAD_BUCKET, HOME),
    Cell(Operation.ENCRYPTION, HOME),
    Cell(Operation.HEAD, f"{HOME}/", later=True),
    Cell(Operation.GET, f"{HOME}/notes/"),
    Cell(Operation.CREATE, f"{HOME}/notes/"),
    Cell(Operation.REPLACE, f"{HOME}/notes/", later=True),
)

PROMISES = (
    Cell(Operation.LIST, HOME),
    Cell(Operation.GET_RANGE, f"{LEGACY}/notes/a"),
    Cell(Operation.VERSIONING, HOME),
    Cell(Operation.CREATE, f"{HOME}/_repatria/doctor/"),
    Cell(Operation.REPLACE, f"{HOME}/_repatria/doctor/"),
)
"""What is asked while the promises of a store are tried, before the first byte is moved."""

PIECES = CELLS[3]
"""Pieces of JSON lines: nothing says what a piece of an object must be (docs/adr/0021)."""

_NO_BODY = {Operation.HEAD, Operation.HEAD_BUCKET, Operation.CREATE, Operation.REPLACE}
_ALONE = {Operation.LOCATION, Operation.HEAD_BUCKET, Operation.ENCRYPTION, Operation.VERSIONING}
_PUTS = {Operation.CREATE, Operation.REPLACE}


def means(fault: Fault, cell: Cell) -> bool:
    """Whether a fault can do anything to the requests of a cell."""
    match fault:
        case Fault.FLIP_REQUEST:
            return cell.operation in _PUTS
        case Fault.FORGET_KEY:
            return cell.operation is Operation.LIST
        case Fault.CUT_FITTED:
            return cell.operation not in _NO_BODY
        case Fault.FLIP_ANSWER:
            return cell.operation is not Operation.HEAD_BUCKET
        case Fault.OTHER_ANSWER:
            return cell.operation not in _ALONE and cell not in PROMISES[3:]
        case _:
            return True


def cells_of(fault: Fault) -> list[Cell]:
    """Return the cells of a fault's row."""
    return [cell for cell in CELLS if means(fault, cell)]


def promises_of(fault: Fault) -> list[Cell]:
    """Return the cells of a fault's row where promises are tried."""
    return [cell for cell in PROMISES if means(fault, cell)]


@dataclass(frozen=True)
class Blow:
    """How a fault strikes: past how many requests that match, and how often (None: always)."""

    fault: Fault
    after: int = 0
    times: int | None = 1


@dataclass
class Matrix:
    """Trials on one ground, through one proxy."""

    ground: Ground
    proxy: FaultProxy

    def trial(self, blow: Blow, cells: Sequence[Cell]) -> list[str]:
        """Strike ``cells`` with a fault; return how each run ended that was struck."""
        self.ground.begin()
        if set(cells) & set(PROMISES):
            shutil.rmtree(self.ground.state / "promises")
        self.proxy.forget()
        told = self._settled(blow, [cell for cell in cells if not cell.later])
        later = [cell for cell in cells if cell.later]
        if later:
            self.ground.change()
            told += self._settled(blow, later)
        missed = [str(cell) for cell in cells if not any(map(cell.struck, self.proxy.log))]
        assert not missed, f"{blow.fault} never struck {missed}"
        strange = set(self.proxy.asked) - set(ENGINE)
        assert not strange, f"the engine asked for {strange}"
        assert not self.proxy.went_elsewhere, "somebody followed a redirect"
        return told

    def _settled(self, blow: Blow, cells: Sequence[Cell]) -> list[str]:
        """Give the commands until the faults are used up, and the work is done without them."""
        self.proxy.rules = [
            Rule((blow.fault,), {cell.operation}, cell.path, blow.after, blow.times)
            for cell in cells
        ]
        told: list[str] = []
        for _ in range(len(cells) + RUNS_MAX):
            before = self.proxy.injected.total()
            ended = self.ground.work()
            if ended.complete and self._differs():
                return [*told, self._verified()]
            if ended.quarantined:
                return [*told, ended.told]
            if self.proxy.injected.total() > before:
                told.append(AGAIN if ended.complete else ended.told)
                if blow.times is None:
                    self.proxy.rules = []
            elif ended.complete:
                return told
        raise AssertionError(f"{blow.fault} on {[*map(str, cells)]}: no end, after {told}")

    def _differs(self) -> bool:
        return self.ground.at_home() != self.ground.expected()

    def _verified(self) -> str:
        """What no digest could tell must be found by verification. Raises if it is not."""
        self.proxy.rules = []
        assert self.ground.verify() > 0, "what was garbled on its way was believed"
        return VERIFIED


def environment() -> dict[str, str]:
    """Return the credentials that the trials' configuration names."""
    return {"FIRE_ACCESS_KEY_ID": "AKIAFIRE", "FIRE_SECRET_ACCESS_KEY": "not a secret"}


def main() -> None:
    """Try every cell so many times, or once for a table; end with 1 if any trial fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="faults or operations, with commas")
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    os.environ.update(environment())
    only = set(asked.only.split(",")) - {""}
    with (
        tempfile.TemporaryDirectory() as folder,
        s3_server() as url,
        plain_client(url) as s3,
        proxied(url, asked.seed) as proxy,
    ):
        ground = Ground(Path(folder), s3, proxy.url)
        ground.lay()
        ground.begin()
        ground.trust()
        failed = 0
        for fault in Fault:
            every = [*cells_of(fault), *promises_of(fault)]
            chosen = [c for c in every if not only or only & {fault, c.operation}]
            for cell in chosen:
                failed += _tried(Matrix(ground, proxy), fault, cell, asked)
    sys.exit(1 if failed else 0)


def _tried(matrix: Matrix, fault: Fault, cell: Cell, asked: argparse.Namespace) -> int:
    """Try one cell so many times and say how it went; return how many trials failed."""
    ends: Counter[str] = Counter()
    failed = 0
    for number in range(asked.times):
        chance = Random(f"{asked.seed} {fault} {cell} {number}")
        blow = Blow(fault) if asked.table else Blow(fault, 0, chance.choice((1, 2, None)))
        try:
            ends.update(matrix.trial(blow, [cell]))
        except AssertionError as error:
            failed += 1
            ends[f"FAILED: {error}"] += 1
    told = "; ".join(f"{count} x {end}" for end, count in ends.most_common())
    sys.stdout.write(f"{fault} | {cell} | {told}\n")
    sys.stdout.flush()
    return failed


if __name__ == "__main__":
    main()
