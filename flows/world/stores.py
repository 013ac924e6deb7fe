"""The stores of the embedded world, as whoever fills it sees them: buckets and puts.

Repatria itself never comes through here: it goes through its own connectors.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from flows.world.servers import World
from flows.world.sites import BACKUP, CREDENTIALS, PRIMARY, SITES, WorldSite
from flows.world.tally import Laid

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PUTS_AT_ONCE: Final = 4
"""Also how many bodies are in memory at once, twice over."""


def client(world: World, site: WorldSite) -> S3Client:
    """Return an S3 client of one site. It may be used from several threads."""
    key, secret = CREDENTIALS.values()
    return boto3.client(
        "s3",
        endpoint_url=world.endpoint(site.name),
        region_name=site.location,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}
        ),
    )


def make_buckets(world: World) -> None:
    """Make every site's bucket, where its store really says it is, versioned where it should be."""
    for site in SITES:
        s3 = client(world, site)
        if site.location == "us-east-1":  # S3 refuses this one by name: it is what none means.
            s3.create_bucket(Bucket=site.bucket)
        else:
            where = {"LocationConstraint": site.location}
            s3.create_bucket(Bucket=site.bucket, CreateBucketConfiguration=where)  # type: ignore[arg-type]
        if site.versioned:
            s3.put_bucket_versioning(
                Bucket=site.bucket, VersioningConfiguration={"Status": "Enabled"}
            )


def put_all(world: World, objects: Iterable[Laid]) -> None:
    """Put objects where they belong, a few at once, holding no more than those."""
    clients = {site.name: client(world, site) for site in (PRIMARY, BACKUP)}
    pending: set[Future[None]] = set()
    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        for laid in objects:
            for site, body in ((PRIMARY, laid.primary), (BACKUP, laid.backup)):
                if body is not None:
                    pending.add(pool.submit(_put, clients[site.name], site.bucket, laid.key, body))
            if len(pending) > PUTS_AT_ONCE:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for one in done:
                    one.result()
        for one in pending:
            one.result()


def _put(s3: S3Client, bucket: str, key: str, body: bytes) -> None:
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=body,
        ChecksumAlgorithm="SHA256",
        Metadata={"written-by": "acme"},
    )
