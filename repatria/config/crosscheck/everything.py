"""All checks, in the order in which a person would mend what they find.

Each takes whatever parts passed their own validation, and the names that were declared, so
that a site with a mistake in it is one problem, and not also a site that nobody reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from repatria.config.config_model import REQUIRED
from repatria.config.crosscheck import places, populations, records
from repatria.config.problem import Problem
from repatria.config.reading import Reading

Check = Callable[[Reading], Iterator[Problem]]


def sections(reading: Reading) -> Iterator[Problem]:
    """Nothing that must be said is left out."""
    for section in REQUIRED:
        if section not in reading.sections:
            yield Problem((section,), "missing; expected this section in one of the files")
    for section, named in (("sites", reading.sites), ("datasets", reading.datasets)):
        if section in reading.sections and not named:
            yield Problem((section,), "expected at least one")


CHECKS: Final[tuple[Check, ...]] = (
    sections,
    places.roles,
    places.jurisdictions,
    places.locations,
    places.overlaps,
    populations.existence,
    populations.countries,
    populations.names,
    populations.homes,
    populations.standbys,
    records.prefixes,
    records.directories,
    records.prices,
)


def crosscheck(reading: Reading) -> Iterator[Problem]:
    """Yield everything that does not fit together, each once."""
    for check in CHECKS:
        yield from dict.fromkeys(check(reading))
