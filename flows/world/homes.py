"""Counts what stands at home with other eyes: manifests and parcels, read as a stranger would.

No engine and no connector of Repatria takes part: a plain S3 client, pyarrow, and what
docs/formats/target.md promises. So a count that agrees is a second opinion.
"""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from flows.world.servers import World
from flows.world.sites import SITES, WorldSite
from flows.world.stores import client
from repatria.names import DatasetName, RegionName
from repatria.site import Role

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

READERS: Final = 4
MANIFEST: Final = "/_repatria/manifest.parquet"

Counts = Mapping[tuple[DatasetName, RegionName], int]


def count_homes(world: World, homes: Mapping[RegionName, str]) -> Counts:
    """Count the records in the parcels that each region's manifests at its home name."""
    found: Counter[tuple[DatasetName, RegionName]] = Counter()
    for site in SITES:
        if site.role is Role.ENCLAVE:
            _count_site(world, site, homes, found)
    return found


def _count_site(
    world: World,
    site: WorldSite,
    homes: Mapping[RegionName, str],
    found: Counter[tuple[DatasetName, RegionName]],
) -> None:
    s3 = client(world, site)
    with ThreadPoolExecutor(READERS) as pool:
        for key in _manifests(s3, site.bucket):
            dataset, folder = key.removesuffix(MANIFEST).split("/")
            region = RegionName(folder.removeprefix("region="))
            if homes[region] == site.name:
                parcels = pq.read_table(pa.BufferReader(_get(s3, site.bucket, key))).to_pylist()
                counting = pool.map(partial(_records, s3, site.bucket), parcels)
                found[DatasetName(dataset), region] += sum(counting)


def _manifests(s3: S3Client, bucket: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    listed = (entry["Key"] for page in pages for entry in page.get("Contents", ()))
    return [key for key in listed if key.endswith(MANIFEST)]


def _get(s3: S3Client, bucket: str, key: str, version: str | None = None) -> bytes:
    pinned = {"VersionId": version} if version is not None else {}
    return s3.get_object(Bucket=bucket, Key=key, **pinned)["Body"].read()  # type: ignore[arg-type]


def _records(s3: S3Client, bucket: str, parcel: Mapping[str, Any]) -> int:
    body = _get(s3, bucket, parcel["key"], parcel["version"])
    name = parcel["key"].lower()
    if name.endswith(".gz"):
        body, name = gzip.decompress(body), name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return int(pq.read_table(pa.BufferReader(body), page_checksum_verification=True).num_rows)
    if name.endswith(".csv"):
        shape = pyarrow.csv.ParseOptions(newlines_in_values=True)
        return int(pyarrow.csv.read_csv(io.BytesIO(body), parse_options=shape).num_rows)
    return sum(bool(line.strip()) for line in body.split(b"\n"))
