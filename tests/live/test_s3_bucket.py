from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from connectors.s3.bucket import S3Bucket
from connectors.s3.client import S3Settings, connect
from connectors.s3.credentials import FromEnvironment
from repatria.names import SiteName
from repatria.ports.bucket import Bucket
from tests.contract.bucket_contract import BucketContract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DUBLIN = SiteName("dublin-1")


@pytest.fixture
def settings(s3_endpoint: str, fresh_name: str) -> S3Settings:
    return S3Settings(
        site=DUBLIN,
        bucket=fresh_name,
        region="eu-west-1",
        endpoint_url=s3_endpoint,
        credentials=FromEnvironment("LIVE_TEST_"),
    )


@pytest.fixture
def client(settings: S3Settings) -> S3Client:
    client = connect(settings, read_only=False)
    client.create_bucket(
        Bucket=settings.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return client


class TestS3Bucket(BucketContract):
    versioned = False
    keeps_newlines = False

    @pytest.fixture
    def bucket(self, client: S3Client, settings: S3Settings) -> Bucket:
        if self.versioned:
            client.put_bucket_versioning(
                Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        return S3Bucket(client, settings, page_keys=2)

    @pytest.fixture
    def remove(self, client: S3Client, settings: S3Settings) -> Callable[[str], None]:
        def delete(key: str) -> None:
            client.delete_object(Bucket=settings.bucket, Key=key)

        return delete


class TestVersionedS3Bucket(TestS3Bucket):
    versioned = True
