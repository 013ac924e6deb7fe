"""Sources and targets over a real S3 server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.s3.bucket import S3Bucket
from connectors.s3.client import S3Settings, connect
from connectors.s3.credentials import FromEnvironment
from repatria.names import SiteName
from tests.contract.source_contract import OverBucket, SourceContract
from tests.contract.target_contract import TargetContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def clients() -> dict[str, S3Client]:
    """Return clients by endpoint: to make one costs more than a test."""
    return {}


@pytest.fixture(params=["s3_endpoint", "ministack_endpoint"])
def bucket(
    request: pytest.FixtureRequest, fresh_name: str, clients: dict[str, S3Client]
) -> S3Bucket:
    endpoint = request.getfixturevalue(request.param)
    settings = S3Settings(
        site=SiteName("dublin-1"),
        bucket=fresh_name,
        region="eu-west-1",
        endpoint_url=endpoint,
        credentials=FromEnvironment("LIVE_TEST_"),
    )
    if endpoint not in clients:
        clients[endpoint] = connect(settings, read_only=False)
    client = clients[endpoint]
    client.create_bucket(
        Bucket=fresh_name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    client.put_bucket_versioning(Bucket=fresh_name, VersioningConfiguration={"Status": "Enabled"})
    return S3Bucket(client, settings, page_keys=3)


class TestSourceOverS3(OverBucket, SourceContract):
    """The source's contract."""


class TestTargetOverS3(TargetContract):
    @pytest.fixture
    def bucket(self, bucket: S3Bucket) -> S3Bucket:
        return bucket
