"""The embedded world: five real servers, which end when they should and remember what was asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from flows.world.config import write_config
from flows.world.seed import USERS_MIN, seed_world, seeded
from flows.world.servers import World, embedded, running, start, stop
from flows.world.sites import BACKUP, CREDENTIALS, PRIMARY, SITES, WorldSite
from flows.world.stores import client
from flows.world.tally import Seeded
from repatria.config.load import load
from repatria.names import DatasetName, SiteName
from repatria.store import FromEnvironment

START_AND_VANISH = """
import os, pathlib, sys
from flows.world.servers import start
start(pathlib.Path(sys.argv[1]), detached="detached" in sys.argv)
os._exit(0)
"""
WAIT_FOR_THE_END = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX)
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Seeded]]:
    with embedded(tmp_path_factory.mktemp("world")) as world:
        yield world, seed_world(world, USERS_MIN)


def run(code: str, *arguments: str | Path) -> None:
    command = [sys.executable, "-c", code, *arguments]
    subprocess.run(command, check=True, timeout=60, cwd=Path(__file__).parents[2])


def test_each_site_is_a_process_of_its_own_on_loopback(filled: tuple[World, Seeded]) -> None:
    world, _ = filled
    assert len(set(world.pids.values()) | {world.warden, os.getpid()}) == len(SITES) + 2
    assert len(set(world.ports.values())) == len(SITES)
    assert all(world.endpoint(site.name).startswith("http://127.0.0.1:") for site in SITES)


@pytest.mark.parametrize("it", SITES, ids=lambda site: site.name)
def test_each_store_says_where_it_stands(filled: tuple[World, Seeded], it: WorldSite) -> None:
    world, _ = filled
    s3 = client(world, it)
    location: str | None = s3.get_bucket_location(Bucket=it.bucket).get("LocationConstraint")
    assert location == (None if it is PRIMARY else it.location)
    versioning = s3.get_bucket_versioning(Bucket=it.bucket).get("Status")
    assert (versioning == "Enabled") is it.versioned


def test_the_legacy_sites_hold_what_was_laid_down(filled: tuple[World, Seeded]) -> None:
    world, expected = filled
    for name, account in expected.datasets.items():
        for site, role in ((PRIMARY, "primary"), (BACKUP, "backup")):
            listed = client(world, site).list_objects_v2(Bucket=site.bucket, Prefix=f"{name}/")
            keys = [it["Key"] for it in listed["Contents"] if it["Key"] != f"{name}/"]
            assert len(keys) == account.objects[role]
    assert seeded(world.folder) == expected


def test_an_odd_key_is_read_back_under_the_same_name(filled: tuple[World, Seeded]) -> None:
    world, _ = filled
    s3 = client(world, PRIMARY)
    for key in ("posts/2024/../dots.jsonl.gz", "posts/2024//two-slashes.jsonl.gz"):
        assert s3.get_object(Bucket=PRIMARY.bucket, Key=key)["Body"].read()


def test_the_log_of_a_store_shows_each_request_and_its_answer(
    filled: tuple[World, Seeded],
) -> None:
    world, _ = filled
    hamar = SITES[-1]
    s3 = client(world, hamar)
    before = len(world.requests(hamar.name))
    s3.put_object(Bucket=hamar.bucket, Key="a b", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError):
        s3.put_object(Bucket=hamar.bucket, Key="a b", Body=b"2", IfNoneMatch="*")
    assert world.requests(hamar.name)[before:] == [
        f"PUT /{hamar.bucket}/a%20b 200",
        f"PUT /{hamar.bucket}/a%20b 412",
    ]


def test_the_configuration_of_a_world_loads_and_names_its_stores(
    filled: tuple[World, Seeded],
) -> None:
    world, expected = filled
    config = load(write_config(world))
    assert {site.name for site in SITES} == set(config.sites)
    for site in SITES:
        assert config.sites[site.name].role is site.role
        assert config.sites[site.name].location == site.location
        assert config.sites[site.name].jurisdiction == site.jurisdiction
        store = config.stores[site.name]
        assert (store.endpoint, store.bucket) == (world.endpoint(site.name), site.bucket)
        assert isinstance(store.credentials, FromEnvironment)
        assert f"{store.credentials.prefix}_ACCESS_KEY_ID" in CREDENTIALS
    assert set(config.datasets) == set(expected.datasets)
    regions = {region.name for region in config.regions}
    assert set(expected.datasets[DatasetName("profiles")].moved) <= regions


def test_starting_again_ends_the_old_world_and_begins_an_empty_one(tmp_path: Path) -> None:
    old = start(tmp_path)
    client(old, PRIMARY).create_bucket(Bucket="left-over")
    try:
        new = start(tmp_path)
        assert new.warden != old.warden
        assert client(new, PRIMARY).list_buckets()["Buckets"] == []
        assert new.requests(SiteName("hamar")) == []
    finally:
        assert stop(tmp_path)
    assert running(tmp_path) is None
    assert not stop(tmp_path)


def test_a_world_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    run(START_AND_VANISH, tmp_path)
    run(WAIT_FOR_THE_END, tmp_path / "lock")
    assert running(tmp_path) is None


def test_a_detached_world_stays_until_somebody_ends_it(tmp_path: Path) -> None:
    run(START_AND_VANISH, tmp_path, "detached")
    try:
        world = running(tmp_path)
        assert world is not None
        assert client(world, PRIMARY).list_buckets()["Buckets"] == []
    finally:
        assert stop(tmp_path)
    assert running(tmp_path) is None
