"""A user's records end in one region, whichever site holds the profile that counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repatria.batch import Reason
from repatria.names import RegionName
from repatria.ports.ledger import RunState
from tests.people import PROFILES
from tests.scenario.enclave import DATASETS, POSTS, Enclave
from tests.scenario.written import Person, lines_of, parquet_of

UNDATED = {**DATASETS, PROFILES.name: replace(PROFILES, version=None)}
Told = tuple[str | None, int] | None
Regions = dict[str, set[str]]
"""Per dataset, the regions where anything of it stands at home."""


def world(folder: Path, ours: Sequence[Person], theirs: Sequence[Person]) -> Enclave:
    """Return a world whose two sites hold these profiles, and one post of each user."""
    enclave = Enclave(folder)
    enclave.us.plant("profiles/a.parquet", parquet_of(ours))
    enclave.singapore.plant("profiles/a.parquet", parquet_of(theirs))
    users = sorted({user for user, _, _ in (*ours, *theirs)})
    enclave.us.plant("posts/a.jsonl.gz", lines_of(list(enumerate(users))))
    return enclave


def moved(enclave: Enclave) -> Regions:
    """Migrate, and return where profiles and posts arrived."""
    enclave.migrate(enclave.plan())
    assert enclave.trusted() == enclave.arrived()
    found: Regions = {"profiles": set(), "posts": set()}
    for dataset, region, _ in enclave.arrived():
        found[dataset].add(region)
    return found


def waiting(enclave: Enclave) -> Counter[tuple[str, Reason]]:
    """Count the entries that wait, by dataset and reason."""
    found: Counter[tuple[str, Reason]] = Counter()
    for name in enclave.datasets:
        for entry in enclave.ledger.waiting(name):
            found[str(name), entry.reason] += entry.rows
    return found


def test_a_newer_profile_in_the_backup_takes_the_posts_along(tmp_path: Path) -> None:
    enclave = world(tmp_path, [("ada", "IE", 1)], [("ada", "NO", 2)])
    assert moved(enclave) == {"profiles": {"NO"}, "posts": {"NO"}}
    assert not waiting(enclave)


@pytest.mark.parametrize(("dated", "region"), [(True, "NO"), (False, "IE")])
def test_posts_that_are_planned_alone_follow_the_profile_that_counts(
    tmp_path: Path, dated: bool, region: str
) -> None:
    enclave = world(tmp_path, [("ada", "IE", 1)], [("ada", "NO", 2)])
    enclave.datasets = DATASETS if dated else UNDATED
    ending = enclave.migrate(enclave.plan(datasets=[POSTS.name]))
    assert ending.state is RunState.COMPLETE
    assert set(enclave.arrived()) == {("posts", RegionName(region), "0")}


def test_who_left_europe_according_to_the_backup_stays_with_all_posts(tmp_path: Path) -> None:
    enclave = world(tmp_path, [("ada", "IE", 1)], [("ada", "US", 2)])
    assert moved(enclave) == {"profiles": set(), "posts": set()}
    assert not waiting(enclave)


def test_posts_wait_for_a_profile_that_is_in_conflict_between_two_regions(tmp_path: Path) -> None:
    enclave = world(tmp_path, [("ada", "IE", 2)], [("ada", "NO", 2)])
    assert moved(enclave) == {"profiles": set(), "posts": set()}
    assert waiting(enclave) == {
        ("profiles", Reason.CONFLICT): 2,
        ("posts", Reason.TWO_REGIONS): 1,
    }


@pytest.mark.parametrize("dated", [True, False])
def test_a_stale_copy_in_the_backup_changes_nothing(tmp_path: Path, dated: bool) -> None:
    enclave = world(tmp_path, [("ada", "IE", 2)], [("ada", "NO", 1)])
    enclave.datasets = DATASETS if dated else UNDATED
    assert moved(enclave) == {"profiles": {"IE"}, "posts": {"IE"}}
    assert not waiting(enclave)


def test_an_orphan_has_no_say_in_where_posts_go(tmp_path: Path) -> None:
    enclave = world(tmp_path, [("ada", "IE", 2)], [("ada", "IE", 2), ("bob", "NO", 2)])
    assert moved(enclave) == {"profiles": {"IE"}, "posts": {"IE"}}
    assert waiting(enclave) == {
        ("profiles", Reason.ORPHAN): 1,
        ("posts", Reason.UNKNOWN_USER): 1,
    }


def test_a_backup_that_cannot_be_read_leaves_the_primary_to_say(tmp_path: Path) -> None:
    enclave = world(tmp_path, [("ada", "IE", 1)], [("ada", "NO", 2)])
    enclave.singapore.plant("profiles/a.parquet", b"PAR1 torn PAR1")
    assert moved(enclave) == {"profiles": {"IE"}, "posts": {"IE"}}


told = st.none() | st.tuples(st.sampled_from(["IE", "NO", "US", None]), st.integers(1, 3))
"""What one site says of a user, if anything: the country, and the version of the record."""


@settings(max_examples=60, deadline=None)
@example(sites=[(("IE", 1), ("NO", 2))], dated=True)
@example(sites=[(("IE", 2), ("NO", 1))], dated=False)
@example(sites=[(("NO", 2), ("IE", 2))], dated=True)
@given(sites=st.lists(st.tuples(told, told), min_size=1, max_size=9), dated=st.booleans())
def test_no_user_ever_lives_in_two_regions(
    tmp_path_factory: pytest.TempPathFactory,
    sites: list[tuple[Told, Told]],
    dated: bool,
) -> None:
    ours, theirs = (
        [(f"u{n}", *said) for n, said in enumerate(site) if said is not None]
        for site in zip(*sites, strict=True)
    )
    enclave = world(tmp_path_factory.mktemp("enclave"), ours, theirs)
    enclave.datasets = DATASETS if dated else UNDATED
    enclave.migrate(enclave.plan())
    users = sorted({user for user, _, _ in (*ours, *theirs)})
    homes: dict[str, set[str]] = {user: set() for user in users}
    for dataset, region, name in enclave.arrived():
        homes[users[int(name)] if dataset == "posts" else name.partition("@")[0]].add(region)
    assert all(len(regions) <= 1 for regions in homes.values())
