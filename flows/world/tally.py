"""What a migration of the synthetic people must end in, counted by those who made them.

Nothing here asks Repatria: the counts follow from what was laid down, so that a demonstration
can be checked against them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from flows.world.people import COUNTRIES, EUROPEAN, Countries, european
from repatria.batch import Reason
from repatria.names import DatasetName, RegionName

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The account of one dataset: ``read = moved + stayed + quarantined + superseded``.

    ``objects`` counts what each legacy site holds; ``failed`` lists keys, relative to the
    dataset's prefix, of objects that cannot be read. Quarantined conflicts count both copies.
    """

    read: int
    moved: Mapping[RegionName, int]
    stayed: int
    superseded: int
    quarantined: Mapping[Reason, int]
    failed: tuple[str, ...]
    objects: Mapping[str, int]

    @property
    def balanced(self) -> bool:
        """Whether every record is accounted for exactly once."""
        waits = sum(self.quarantined.values())
        return self.read == sum(self.moved.values()) + self.stayed + self.superseded + waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What lies in the embedded world, and what must become of it."""

    users: int
    seed: int
    datasets: Mapping[DatasetName, Expected]

    def to_json(self) -> str:
        """Write it down for other processes."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Seeded:
        """Read what ``to_json`` wrote."""
        said = json.loads(text)
        return cls(
            users=said["users"],
            seed=said["seed"],
            datasets={
                DatasetName(name): Expected(
                    **{
                        **account,
                        "quarantined": {Reason(r): n for r, n in account["quarantined"].items()},
                        "failed": tuple(account["failed"]),
                    }
                )
                for name, account in said["datasets"].items()
            },
        )


@dataclass(slots=True)
class Tally:
    """Counts while objects are laid down."""

    read: int = 0
    stayed: int = 0
    superseded: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    waiting: Counter[Reason] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    objects: Counter[str] = field(default_factory=Counter)

    def rows(
        self,
        countries: Countries,
        superseded: Mask | None = None,
        waiting: Mapping[Reason, Mask] | None = None,
    ) -> None:
        """Count rows that are read. Whoever is not European stays, whatever else is true."""
        self.read += len(countries)
        left = european(countries)
        self.stayed += int((~left).sum())
        if superseded is not None:
            self.superseded += int((left & superseded).sum())
            left = left & ~superseded
        for reason, mask in (waiting or {}).items():
            self.waiting[reason] += int((left & mask).sum())
            left = left & ~mask
        for index, rows in enumerate(np.bincount(countries[left], minlength=len(EUROPEAN))):
            if rows:
                self.moved[COUNTRIES[index]] += int(rows)

    def alone(self, countries: Countries) -> None:
        """Count rows that stand in the backup alone."""
        self.rows(countries, waiting={Reason.ORPHAN: np.ones(len(countries), dtype=np.bool_)})

    def waits(self, reason: Reason, rows: int) -> None:
        """Count rows that wait because of what they are, wherever their person lives."""
        self.read += rows
        self.waiting[reason] += rows

    def expected(self) -> Expected:
        """Return the account, closed."""
        account = Expected(
            read=self.read,
            moved={RegionName(region): self.moved[region] for region in sorted(self.moved)},
            stayed=self.stayed,
            superseded=self.superseded,
            quarantined={reason: self.waiting[reason] for reason in Reason if self.waiting[reason]},
            failed=tuple(self.failed),
            objects=dict(sorted(self.objects.items())),
        )
        assert account.balanced, "the makers of the world cannot count"
        return account


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """One object as it is laid down: its whole key, and its bytes at each legacy site, if any."""

    key: str
    primary: bytes | None = field(repr=False)
    backup: bytes | None = field(repr=False)


def both(key: str, body: bytes) -> Laid:
    """Lay down an object that both sites hold with the same bytes."""
    return Laid(key=key, primary=body, backup=body)


def spans(rows: int, least: int, rows_max: int) -> list[tuple[int, int]]:
    """Share ``rows`` among objects: at least ``least`` of them, of at most ``rows_max`` rows."""
    count = max(least, -(-rows // rows_max))
    edges = [rows * number // count for number in range(count + 1)]
    return list(pairwise(edges))
