"""Fills the embedded world with synthetic people, and says what a migration must end in.

The same number of users and the same seed give the same bytes, object by object. One object is
in memory at a time (and a few on their way), so that a million users fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flows.report.numbers import count
from flows.world import logins, posts, profiles
from flows.world.people import People
from flows.world.servers import World
from flows.world.stores import make_buckets, put_all
from flows.world.tally import Laid, Seeded, Tally, both
from repatria.errors import Refused
from repatria.names import DatasetName

SEED: Final = 20_260_517
USERS_MIN: Final = 500
USERS_MAX: Final = 50_000_000
_LAYERS: Final = {
    DatasetName("profiles"): (profiles.PREFIX, profiles.lay),
    DatasetName("posts"): (posts.PREFIX, posts.lay),
    DatasetName("logins"): (logins.PREFIX, logins.lay),
}


class TooFewPeople(Refused):
    """The embedded world cannot have this many users."""

    hint = (
        f"Ask for {count(USERS_MIN)} to {count(USERS_MAX)} users, "
        "for example `make demo USERS=60000`."
    )


def lay(users: int, seed: int = SEED) -> tuple[Iterator[Laid], dict[DatasetName, Tally]]:
    """Return the objects of the world, and tallies that are complete once all were taken.

    Raises ``TooFewPeople`` where what is planted would not find its place.
    """
    if not USERS_MIN <= users <= USERS_MAX:
        raise TooFewPeople("the embedded world cannot have this many users", users=users)
    tallies = {name: Tally() for name in _LAYERS}
    return _objects(People(users, seed), tallies), tallies


def _objects(people: People, tallies: dict[DatasetName, Tally]) -> Iterator[Laid]:
    for name, (prefix, layer) in _LAYERS.items():
        yield both(prefix, b"")  # Some tool once made a "folder": it is no object of records.
        for laid in layer(people, tallies[name]):
            tallies[name].objects["primary"] += laid.primary is not None
            tallies[name].objects["backup"] += laid.backup is not None
            yield laid


def seed_world(world: World, users: int, seed: int = SEED) -> Seeded:
    """Make the buckets, put every object, and write down what a migration must end in."""
    objects, tallies = lay(users, seed)
    make_buckets(world)
    put_all(world, objects)
    seeded = Seeded(
        users=users,
        seed=seed,
        datasets={name: tally.expected() for name, tally in tallies.items()},
    )
    _note(world.folder).write_text(seeded.to_json())
    return seeded


def seeded(folder: Path) -> Seeded:
    """Return what was written down when this world was filled."""
    return Seeded.from_json(_note(folder).read_text())


def _note(folder: Path) -> Path:
    return folder / "seeded.json"
