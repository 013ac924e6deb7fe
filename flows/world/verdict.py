"""Compares what a migration came to with what was laid down: exactly, cell by cell.

Pure: values in, checks out. What was laid down was counted by its makers, who do not ask
Repatria.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from flows.world.found import Found, Told
from flows.world.tally import Seeded

Key = TypeVar("Key")
SHOWN_MAX = 12
"""Differences that one check names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must agree: a figure each, and where the figures behind them differ."""

    what: str
    expected: int
    found: int
    differs: tuple[str, ...] = field(default=())

    @property
    def agrees(self) -> bool:
        """Whether all of it agrees, cell by cell."""
        return self.expected == self.found and not self.differs


def checks(seeded: Seeded, found: Found) -> list[Check]:
    """Return every check, in the order of the job."""
    expected = expectation(seeded)
    return [
        *_accounted(expected, found.moved),
        _same("The rehearsal foretold as much", expected.moved, found.rehearsed.moved),
        _same("… and as many waiting", expected.waits, found.rehearsed.waits),
        _same("Matched by verification", expected.moved, found.matched),
        Check("Missing, extra or altered at home", 0, found.differing),
        Check("Objects that could not be compared", len(expected.failed), found.unverified),
        _same("Counted in the parcels by other eyes", expected.moved, found.parcels),
    ]


def expectation(seeded: Seeded) -> Told:
    """Return what was laid down in the words of who moves it."""
    return Told(
        accounts={
            name: {
                "read": account.read,
                "stayed": account.stayed,
                "superseded": account.superseded,
                "erased": 0,
            }
            for name, account in seeded.datasets.items()
        },
        moved={
            (name, region): rows
            for name, account in seeded.datasets.items()
            for region, rows in account.moved.items()
        },
        waits={
            (name, reason): rows
            for name, account in seeded.datasets.items()
            for reason, rows in account.quarantined.items()
        },
        failed=frozenset(
            (name, key) for name, account in seeded.datasets.items() for key in account.failed
        ),
    )


def _accounted(expected: Told, found: Told) -> list[Check]:
    regions = len({region for _, region in expected.moved})
    datasets = len(expected.accounts)
    return [
        _kind("Records read", "read", expected, found),
        _same(f"Moved home: {regions} regions, {datasets} datasets", expected.moved, found.moved),
        _kind("Stayed, of other countries", "stayed", expected, found),
        _kind("Superseded: stale copies", "superseded", expected, found),
        _same("In quarantine, by reason", expected.waits, found.waits),
        _objects(expected, found),
    ]


def _kind(what: str, kind: str, expected: Told, found: Told) -> Check:
    mine = {name: account[kind] for name, account in expected.accounts.items()}
    theirs = {name: account[kind] for name, account in found.accounts.items()}
    return _same(what, mine, theirs)


def _objects(expected: Told, found: Told) -> Check:
    names = tuple(f"{name}: {key}" for name, key in sorted(expected.failed ^ found.failed))
    return Check("Objects that nobody can read", len(expected.failed), len(found.failed), names)


def _same(what: str, mine: Mapping[Key, int], theirs: Mapping[Key, int]) -> Check:
    differs = [
        f"{_name(key)}: {mine.get(key, 0)} expected, {theirs.get(key, 0)} found"
        for key in sorted({*mine, *theirs}, key=str)
        if mine.get(key, 0) != theirs.get(key, 0)
    ]
    rest = len(differs) - SHOWN_MAX
    tail = (f"and {rest} more",) if rest > 0 else ()
    return Check(what, sum(mine.values()), sum(theirs.values()), (*differs[:SHOWN_MAX], *tail))


def _name(key: object) -> str:
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)
