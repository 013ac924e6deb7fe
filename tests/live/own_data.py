"""Data and a configuration as a user might have them: one S3, two regions, three formats.

What must arrive is told by those who made it, line by line and row by row.
"""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config

from tests.live import settings
from tests.live.console import Console
from tests.live.proxy import Proxy, proxied
from tests.live.witness import KEPT, MANIFEST, TRIED, listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGIONS = {"IE": "dublin", "NORDIC": "hamar"}
REGION_OF = {"IE": "IE", "NO": "NORDIC", "SE": "NORDIC"}
COUNTRIES = ("IE", "NO", "SE", "US", "BR")
PEOPLE, EVENTS, VISITS = 400, 4000, 900
DATASETS: settings.Tree = {
    "people": {
        "prefix": "crm/people/",
        "format": "parquet",
        "identity": ["id"],
        "user": "id",
        "residency": {"column": "country"},
    },
    "events": {
        "prefix": "events/",
        "format": "jsonl",
        "identity": [{"name": "n", "type": "int64"}],
        "user": "who",
        "residency": {"directory": "people"},
    },
    "visits": {
        "prefix": "logs/visits/",
        "format": "csv",
        "csv": {"header": False, "columns": ["who", "at", "page"]},
        "identity": ["who", {"name": "at", "type": "timestamp"}],
        "user": "who",
        "residency": {"directory": "people"},
    },
}
LOCATIONS = {
    "us": "us-east-1",
    "copy": "ap-southeast-1",
    "dublin": "eu-west-1",
    "hamar": "no-hamar-1",
}


Change = Callable[[settings.Tree], None]


@dataclass(frozen=True)
class OwnData:
    """A user's stores and configuration: ``doors`` stand before the stores, ``tree`` is theirs."""

    s3: S3Client
    buckets: dict[str, str]
    doors: dict[str, Proxy]
    tree: settings.Tree
    console: Console

    def configure(self, change: Change = lambda _tree: None) -> None:
        """Write the configuration anew, changed."""
        change(self.tree)
        settings.write(self.console.config.parent, self.tree)

    def put(self, site: str, key: str, body: bytes) -> None:
        """Lay down an object, behind the door."""
        self.s3.put_object(Bucket=self.buckets[site], Key=key, Body=body)

    def bodies(self, region: str, dataset: str) -> list[bytes]:
        """Return the parcels at a region's home, in order of their keys."""
        bucket = self.buckets[REGIONS[region]]
        front = f"{dataset}/region={region}/"
        keys = [
            key
            for key in listed(self.s3, bucket, front)
            if not key.startswith((front + KEPT, front + MANIFEST))
        ]
        return [self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]

    def puts(self, *sites: str) -> list[str]:
        """Return the paths of all puts of data at these homes (default: all), taken or not."""
        asked = [it for name in sites or REGIONS.values() for it in self.doors[name].asked]
        return [it.path for it in asked if it.method == "PUT" and TRIED not in it.path]


@contextmanager
def opened(endpoint: str, name: str, console: Console) -> Iterator[OwnData]:
    """Make empty buckets behind doors, and the configuration that names them."""
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIALIVETEST",
        aws_secret_access_key="not a secret",
        config=Config(s3={"addressing_style": "path"}),
    )
    buckets = {site: f"{name}-{site}" for site in LOCATIONS}
    for site, bucket in buckets.items():
        where: Any = {"CreateBucketConfiguration": {"LocationConstraint": LOCATIONS[site]}}
        s3.create_bucket(Bucket=bucket, **({} if site == "us" else where))
    with ExitStack() as stack:
        doors = {site: stack.enter_context(proxied(endpoint)) for site in LOCATIONS}
        yield OwnData(s3, buckets, doors, tree_of(doors, buckets), console)


def tree_of(doors: dict[str, Proxy], buckets: dict[str, str]) -> settings.Tree:
    """Write a configuration by hand."""

    def store(name: str) -> settings.Tree:
        return {"endpoint": doors[name].url, "region": LOCATIONS[name], "bucket": buckets[name]}

    return {
        "sites": {
            "us": settings.site("legacy-primary", "US", store("us")),
            "dublin": settings.site("enclave", "IE", store("dublin")),
            "hamar": settings.site("enclave", "NO", store("hamar")),
        },
        "regions": {
            "groups": {
                "IE": {"countries": ["IE"], "home": "dublin"},
                "NORDIC": {"countries": ["NO", "SE"], "home": "hamar"},
            },
        },
        "datasets": copy.deepcopy(DATASETS),
        "limits": {
            "batch_bytes": "64 KiB",
            "slice_bytes": "128 KiB",
            "attempts": 2,
            "wait_s_max": 0.1,
            "lease_s": 1,
        },
        "state": {"folder": "../state", "jurisdiction": "IE"},
        "runner": "threads",
    }


def country(number: int) -> str:
    """Return where person ``number`` lives."""
    return COUNTRIES[number * 7 % len(COUNTRIES)]


def region(number: int) -> str | None:
    """Return the region of person ``number``."""
    return REGION_OF.get(country(number))


def people(start: int, stop: int) -> pa.Table:
    """Return a table with nested and exact types."""
    numbers = range(start, stop)
    born = datetime(1990, 1, 1, tzinfo=UTC)
    return pa.table(
        {
            "id": [f"p{n:05d}" for n in numbers],
            "country": [country(n) for n in numbers],
            "tags": pa.array([[f"t{n % 3}", None][: n % 3] or None for n in numbers]),
            "address": pa.array(
                [{"city": f"C{n}", "at": {"lat": n / 7, "lon": None}} for n in numbers]
            ),
            "owes": pa.array([Decimal(n) / 100 for n in numbers], pa.decimal128(30, 2)),
            "born": pa.array(
                [born + timedelta(hours=n) for n in numbers], pa.timestamp("us", "UTC")
            ),
            "prefs": pa.array([[("k", n)] for n in numbers], pa.map_(pa.string(), pa.int32())),
        }
    ).replace_schema_metadata({"made-by": "crm 7"})


def parquet(rows: pa.Table) -> bytes:
    """Write a Parquet object of several row groups."""
    sink = io.BytesIO()
    pq.write_table(rows, sink, row_group_size=70)
    return sink.getvalue()


def events() -> list[tuple[int, bytes]]:
    """Return lines of JSON with the person of each; they are not as a writer of ours would."""
    chance = random.Random(5)
    found = []
    for n in range(EVENTS):
        who = chance.randrange(PEOPLE)
        rest = chance.choice(['"x":1.0', '"x": 1e3', '"é":"\\u00e9 ☃"', '"big":9007199254740993'])
        line = f'{{ "n":{n}, "who" : "p{who:05d}",{rest},"pad":"{"." * chance.randrange(90)}"}}\n'
        found.append((who, line.encode()))
    return found


def visits() -> list[tuple[int, bytes]]:
    """Return records of CSV with the person of each; some have line breaks inside quotes."""
    at = datetime(2024, 5, 1, tzinfo=UTC)
    return [
        (
            n % PEOPLE,
            f"p{n % PEOPLE:05d},{at + timedelta(minutes=n):%Y-%m-%dT%H:%M:%SZ},{page}\n".encode(),
        )
        for n, page in ((n, ("/home", '"/a,b"', '"two\nlines"')[n % 3]) for n in range(VISITS))
    ]


def packed(body: bytes) -> bytes:
    """Pack with zstd."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(body)
    return sink.getvalue().to_pybytes()


def unpacked(body: bytes) -> bytes:
    """Unpack what zstd packed."""
    return pa.CompressedInputStream(pa.BufferReader(body), "zstd").read()


def lay_down(mine: OwnData) -> None:
    """Put all of it where it was before anybody thought of moving."""
    half = PEOPLE // 2
    mine.put("us", "crm/people/2023.parquet", parquet(people(0, half)))
    mine.put("us", "crm/people/2024/more.parquet", parquet(people(half, PEOPLE)))
    mine.put("us", "events/all.jsonl", b"".join(line for _, line in events()))
    mine.put("us", "logs/visits/v.csv.zst", packed(b"".join(line for _, line in visits())))
    mine.put("us", "elsewhere/not-ours.txt", b"no dataset")


def of_region(rows: list[tuple[int, bytes]], name: str) -> bytes:
    """Return the lines of the people of one region, in their order."""
    return b"".join(line for who, line in rows if region(who) == name)
