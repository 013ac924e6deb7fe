"""A whole world in small: two sites behind one S3 server, a configuration, a handful of records.

Forty users of IE, DE and US in two CSV objects, and one line without a country.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from flows.preparing import init, make_plan
from flows.wiring import CONFIG_VARIABLE, open_house

HEADER = b"user_id,country,name\r\n"
MOVING = {"IE": 10, "DE": 10}
READ = 31
_NUMBERS = count(1)


@dataclass(frozen=True)
class SmallWorld:
    """Where the configuration is, and how to look into the stores behind the engine's back."""

    folder: Path
    legacy: str
    home: str
    s3: Any

    def keys_at_home(self) -> list[str]:
        """Every key that stands at home, ours and others', but for what tries its promises."""
        found = self.s3.list_objects_v2(Bucket=self.home).get("Contents", [])
        keys = [entry["Key"] for entry in found]
        return [key for key in keys if not key.startswith("_repatria/doctor/")]

    def init(self) -> None:
        """Make the state."""
        with open_house(self.folder) as house:
            init(house)

    def plan(self) -> str:
        """Make the state and a plan, in this process; return its digest."""
        self.init()
        with open_house(self.folder) as house:
            return make_plan(house, (), ()).digest

    def configure(self, **sections: Any) -> None:
        """Write sections of the configuration anew; of ``limits`` only what is given."""
        file = self.folder / "world.yaml"
        tree = yaml.safe_load(file.read_text("utf-8"))
        tree["limits"] |= sections.pop("limits", {})
        file.write_text(yaml.safe_dump(tree | sections, sort_keys=False), encoding="utf-8")

    def put_copy(self, name: str) -> None:
        """Put an object of one record of IE, under a name of its own."""
        body = HEADER + f"{name},IE,somebody\r\n".encode()
        self.s3.put_object(Bucket=self.legacy, Key=f"people/{name}.csv", Body=body)

    def put_bad_object(self) -> None:
        """Put an object that is not what its name says."""
        self.s3.put_object(Bucket=self.legacy, Key="people/c.csv.gz", Body=b"not gzip at all")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of one S3 server for all of these tests."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def world(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallWorld]:
    """A fresh world, configured, and named by the environment."""
    folder = tmp_path / "config"
    monkeypatch.setenv("SMALL_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("SMALL_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv(CONFIG_VARIABLE, str(folder))
    with made(s3_server, folder) as small:
        yield small


@contextmanager
def made(url: str, folder: Path) -> Iterator[SmallWorld]:
    """Make a world in buckets of its own, configured in ``folder``."""
    with _client(url) as s3:
        number = next(_NUMBERS)
        small = SmallWorld(folder, f"legacy-{number}", f"home-{number}", s3)
        s3.create_bucket(Bucket=small.legacy)
        s3.create_bucket(
            Bucket=small.home, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        s3.put_object(Bucket=small.legacy, Key="people/a.csv", Body=_lines("IE", "US", 10))
        s3.put_object(Bucket=small.legacy, Key="people/b.csv", Body=_lines("DE", "", 10))
        _configure(small, url)
        yield small


@contextmanager
def _client(url: str) -> Iterator[Any]:
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="reader",
        aws_secret_access_key="not-a-secret",
    )
    try:
        yield client
    finally:
        client.close()


def _lines(*countries_and_number: Any) -> bytes:
    *countries, number = countries_and_number
    rows = [
        f"{country or 'x'}-{index},{country},somebody\r\n"
        for country in countries
        for index in range(number if country else 1)
    ]
    return HEADER + "".join(rows).encode()


def _configure(small: SmallWorld, url: str) -> None:
    small.folder.mkdir(parents=True)
    tree = {
        "sites": {
            "us-east": _site("legacy-primary", "US", ("us-east-1", small.legacy), url),
            "dublin-1": _site("enclave", "IE", ("eu-west-1", small.home), url),
        },
        "regions": {
            "ready_made": [],
            "groups": {name: {"countries": [name]} for name in MOVING},
            "home": {"default": "dublin-1"},
        },
        "datasets": {
            "people": {
                "prefix": "people/",
                "format": "csv",
                "identity": ["user_id"],
                "user": "user_id",
                "residency": {"column": "country"},
            }
        },
        "limits": {"attempts": 2, "wait_s_max": 0.01, "lease_s": 1},
        "state": {"folder": "../state", "jurisdiction": "IE"},
        "runner": "threads",  # What runs in processes is asked for: they are slow to start.
    }
    text = yaml.safe_dump(tree, sort_keys=False)
    (small.folder / "world.yaml").write_text(text, encoding="utf-8")


def _site(role: str, jurisdiction: str, place: tuple[str, str], url: str) -> dict[str, Any]:
    region, bucket = place
    store = {
        "endpoint": url,
        "region": region,
        "bucket": bucket,
        "path_style": True,
        "credentials": {"environment": "SMALL"},
    }
    return {"role": role, "jurisdiction": jurisdiction, "phase": "open", "store": store}
