"""The smallest move: one dataset of seven objects, one source and one home, each behind a door.

What must arrive is told by those who made it, line by line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from tests.live import settings
from tests.live.proxy import Proxy, proxied
from tests.live.witness import TRIED, listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OBJECTS: Final = 7
ROWS: Final = 12
COUNTRIES: Final = ("IE", "US", "IE", "BR")
KEY: Final = "people/{}.jsonl"
LOCATIONS: Final = {"us": "us-east-1", "dublin": "eu-west-1"}


@dataclass(frozen=True)
class TwoStores:
    """Two buckets, their doors, and the configuration that names the doors."""

    s3: S3Client
    buckets: Mapping[str, str]
    doors: Mapping[str, Proxy]
    config: Path

    def put(self, number: int, body: bytes) -> None:
        """Lay down an object at the source, behind the door."""
        self.s3.put_object(Bucket=self.buckets["us"], Key=KEY.format(number), Body=body)

    def home(self) -> bytes:
        """Return all that stands at home for Ireland, in order of its keys."""
        bucket, front = self.buckets["dublin"], "people/region=IE/"
        keys = [key for key in listed(self.s3, bucket, front) if key.endswith(".jsonl")]
        return b"".join(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)

    def puts(self) -> list[str]:
        """Return the paths of all puts at home but for those that try its promises."""
        return [it.path for it in self.doors["dublin"].asked if _puts_data(it.method, it.path)]


def _puts_data(method: str, path: str) -> bool:
    return method == "PUT" and TRIED not in path


def lines(number: int) -> list[bytes]:
    """Return the records of an object; every second one is Irish."""
    return [
        json.dumps({"id": f"{number}-{n}", "country": COUNTRIES[n % 4], "pad": "." * 9}).encode()
        + b"\n"
        for n in range(ROWS)
    ]


def irish() -> bytes:
    """Return what must arrive."""
    return b"".join(line for number in range(OBJECTS) for line in lines(number) if b'"IE"' in line)


@contextmanager
def opened(
    endpoint: str, name: str, folder: Path, home: tuple[str, str] | None = None
) -> Iterator[TwoStores]:
    """Make both buckets, fill the source, and write the configuration.

    ``home`` is where the home's server answers and what region it says, where it is another one.
    """
    s3 = _client(endpoint)
    endpoints = {"us": endpoint, "dublin": endpoint if home is None else home[0]}
    locations = {**LOCATIONS, **({} if home is None else {"dublin": home[1]})}
    buckets = {site: f"{name}-{site}" for site in locations}
    for site, bucket in buckets.items():
        where: Any = {"CreateBucketConfiguration": {"LocationConstraint": locations[site]}}
        with closing(_client(endpoints[site])) as client:
            client.create_bucket(Bucket=bucket, **({} if locations[site] == "us-east-1" else where))
    with ExitStack() as stack:
        doors = {site: stack.enter_context(proxied(endpoints[site])) for site in locations}
        config = settings.write(folder, _tree(doors, buckets, locations))
        stores = TwoStores(s3, buckets, doors, config)
        for number in range(OBJECTS):
            stores.put(number, b"".join(lines(number)))
        yield stores
        s3.close()


def _client(endpoint: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIALIVETEST",
        aws_secret_access_key="not a secret",
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )


def _tree(
    doors: Mapping[str, Proxy], buckets: Mapping[str, str], locations: Mapping[str, str]
) -> settings.Tree:
    def store(name: str) -> settings.Tree:
        return {"endpoint": doors[name].url, "region": locations[name], "bucket": buckets[name]}

    return {
        "sites": {
            "us": settings.site("legacy-primary", "US", store("us")),
            "dublin": settings.site("enclave", "IE", store("dublin")),
        },
        "regions": {"groups": {"IE": {"countries": ["IE"], "home": "dublin"}}},
        "datasets": {
            "people": {
                "prefix": "people/",
                "format": "jsonl",
                "identity": ["id"],
                "user": "id",
                "residency": {"column": "country"},
            }
        },
        "runner": "threads",
        "limits": {"attempts": 2, "wait_s_max": 0.05, "lease_s": 1},
        "state": {"folder": "../state", "jurisdiction": "IE"},
    }
