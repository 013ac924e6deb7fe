"""Mutates valid inputs and feeds them to every parser: ``python -m tests.fire.fuzz --seconds 600``.

Flips, truncations, splices and repetitions, each from its own seed, in a child process that may
not have more than 4 GiB nor take more than ten seconds over one input. A crash, a hang, an
error that is not of ours, or an alteration that is taken for the original ends the run, and names
the parser and the seed: ``--only parquet --first 1234 --cases 1`` does it again.
"""

from __future__ import annotations

import argparse
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from tests.fire.fuzzed import TARGETS, Target

ROOT: Final = Path(__file__).parents[2]
MEMORY_BYTES: Final = 4 << 30
CASE_S_MAX: Final = 10
_ROUND: Final = 500
_ODD: Final = (b"\0", b"\xff" * 9, b"\n", b'"', b"[" * 600, b"PAR1", b"\xef\xbb\xbf", b"9" * 400)


def mutated(sample: bytes, other: bytes, random: Random) -> bytes:
    """Return a sample with a change or a few."""
    body = bytearray(sample)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(body) + 1)
        stop = min(len(body), at + random.choice((1, 2, 8, 64, 4096)))
        match random.randrange(6):
            case 0:
                for place in range(at, min(stop, at + 8)):
                    body[place] ^= 1 << random.randrange(8)
            case 1:
                del body[at:stop]
            case 2:
                del body[at:]
            case 3:
                body[at:at] = random.choice(_ODD)
            case 4:
                start = random.randrange(len(other) + 1)
                body[at:stop] = other[start : start + random.choice((1, 16, 512))]
            case _:
                body[at:at] = body[at:stop] * random.choice((1, 2, 50))
    return bytes(body)


def run(target: Target, first: int, cases: int, log: Path) -> Counter[str]:
    """Feed cases to one parser in this process; ``log`` always holds the seed at work."""
    samples = target.samples()
    outcomes: Counter[str] = Counter()
    with log.open("r+b", buffering=0) as told:
        for seed in range(first, first + cases):
            told.seek(0)
            told.write(b"%20d" % seed)
            random = Random(seed)
            sample, other = random.choice(samples), random.choice(samples)
            with _timed():
                outcomes[target.judge(mutated(sample, other, random), sample)] += 1
    return outcomes


@contextmanager
def _timed() -> Iterator[None]:
    """End the process if a case takes too long: a hang inside of a library hears nothing else."""
    signal.alarm(CASE_S_MAX)
    try:
        yield
    finally:
        signal.alarm(0)


def child(name: str, first: int, cases: int) -> str:
    """Run cases in a process of their own; return its counts, or what became of it."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "seed"
        log.write_bytes(b"%20d" % first)
        asked = ["--only", name, "--first", str(first), "--cases", str(cases)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.fire.fuzz", "--child", str(log), *asked],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            seed = int(log.read_bytes())
            raise SystemExit(f"{name}: seed {seed} ended with {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


def rounds(name: str, first: int, seconds: float) -> Iterator[int]:
    """Feed one parser for so long; yield how many cases each round had. Raises what it finds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            child(name, first, _ROUND)
        except SystemExit as found:
            raise AssertionError(found.code) from found
        first += _ROUND
        yield _ROUND


def main() -> None:
    """Run all parsers in turn, until the time or the cases are over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--cases", type=int, default=_ROUND)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", choices=sorted(TARGETS), action="append")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    names = asked.only or sorted(TARGETS)
    if asked.child is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        told = run(TARGETS[names[0]], asked.first, asked.cases, asked.child)
        sys.stdout.write(", ".join(f"{count} {what}" for what, count in sorted(told.items())))
        return
    until, first = time.monotonic() + asked.seconds, asked.first
    while True:
        for name in names:
            told_of = child(name, first, asked.cases)
            sys.stdout.write(f"{name}: seeds {first} to {first + asked.cases - 1}: {told_of}\n")
            sys.stdout.flush()
        first += asked.cases
        if time.monotonic() >= until:
            return


if __name__ == "__main__":
    main()
