"""An independent witness: reads both sides with boto3 and plain Python, and compares records.

It shares no line with the engine: not its readers, its digests, its manifests or its ledger.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from flows.world.servers import World
from flows.world.sites import BACKUP, PRIMARY, SITES
from flows.world.stores import client
from flows.world.tally import Laid
from repatria.batch import Reason
from tests.unit.world_oracle import Account, Oracle, Row, records

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MANIFEST = "_repatria/manifest.parquet"
KEPT = "_repatria/quarantine/"
TRIED = "_repatria/doctor/"
"""Below this, the promises of a store are tried before anything is moved."""

Where = tuple[str, str]
"""Dataset and region."""
Records = dict[Where, Counter[str]]


class Witness(Oracle):
    """Settles each record of the legacy sites by the rules of the house, keeping what moves."""

    def __init__(self, objects: Sequence[Laid], regions: Mapping[str, tuple[str, ...]]) -> None:
        self.region = {country: name for name, them in regions.items() for country in them}
        self.moving: Records = {}
        self.dataset = ""
        super().__init__(objects)

    def account(self, dataset: str) -> Account:
        self.dataset = dataset
        return super().account(dataset)

    def _settle(self, account: Account, row: Row | Reason, standing: str) -> None:
        before = account.moved.total()
        super()._settle(account, row, standing)
        if account.moved.total() > before:
            assert isinstance(row, dict)
            region = self.region[str(self.country[row["user_id"]])]
            self.moving.setdefault((self.dataset, region), Counter())[repr(row)] += 1

    def expected(self, datasets: Mapping[str, Any]) -> Records:
        """Return every record that must have moved, as often as it must have."""
        for name in datasets:
            self.account(name)
        return self.moving


def at(s3: S3Client, bucket: str, front: str) -> Counter[str] | None:
    """Return the records below ``front``, or None if there is nothing.

    Fails where an object stands beside those of the manifest, or one of those does not.
    """
    keys = {key for key in listed(s3, bucket, front) if not key.startswith(front + KEPT)}
    if not keys:
        return None
    body = s3.get_object(Bucket=bucket, Key=front + MANIFEST)["Body"].read()
    parcels = pq.ParquetFile(io.BytesIO(body)).read().to_pylist()
    assert keys - {front + MANIFEST} == {parcel["key"] for parcel in parcels}
    found: Counter[str] = Counter()
    for parcel in parcels:
        answer = s3.get_object(Bucket=bucket, Key=parcel["key"])
        assert answer["VersionId"] == parcel["version"]
        rows = records(_like_the_source(parcel["key"], front), answer["Body"].read())
        assert rows is not None
        assert len(rows) == parcel["rows"]
        found.update(repr(row) for row in rows)
    return found


def homes(world: World, root: str, datasets: Mapping[str, Any], regions: Any) -> dict[str, Records]:
    """Return the records of every dataset and region at each site of the enclave."""
    seen: dict[str, Records] = {}
    for it in SITES:
        if it.role == "enclave":
            s3 = client(world, it)
            for where in ((name, region) for name in datasets for region in regions):
                found = at(s3, it.bucket, f"{root}{where[0]}/region={where[1]}/")
                if found is not None:
                    seen.setdefault(str(it.name), {})[where] = found
    return seen


def listed(s3: S3Client, bucket: str, prefix: str = "") -> Iterator[str]:
    """Yield every key below a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"]


def laid(world: World) -> list[Laid]:
    """Read what lies at the legacy sites of an embedded world."""
    bodies: dict[str, dict[str, bytes]] = {}
    for it in (PRIMARY, BACKUP):
        s3 = client(world, it)
        for key in listed(s3, it.bucket):
            body = s3.get_object(Bucket=it.bucket, Key=key)["Body"].read()
            bodies.setdefault(key, {})[str(it.role)] = body
    return [
        Laid(key=key, primary=by.get(str(PRIMARY.role)), backup=by.get(str(BACKUP.role)))
        for key, by in sorted(bodies.items())
    ]


def _like_the_source(key: str, front: str) -> str:
    """Name an object as its source was named, by which its reader goes."""
    return f"{front.rpartition('region=')[0].split('/')[-2]}/{key.removeprefix(front)}"
