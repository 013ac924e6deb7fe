from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

import pytest

from connectors.s3.bucket import S3Bucket
from connectors.s3.client import S3Settings, connect
from connectors.s3.credentials import FromEnvironment
from repatria.errors import AccessRefused, Archived, Transient, WriteRefused
from repatria.names import SiteName
from repatria.ports.bucket import Bucket
from tests.contract.bucket_contract import BucketContract, put

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DUBLIN = SiteName("dublin-1")


@pytest.fixture
def settings(request: pytest.FixtureRequest, fresh_name: str) -> S3Settings:
    """Return settings for a bucket of the server that the class of the test names."""
    endpoint: str = request.getfixturevalue(request.cls.server)
    return S3Settings(
        site=DUBLIN,
        bucket=fresh_name,
        region="eu-west-1",
        endpoint_url=endpoint,
        credentials=FromEnvironment("LIVE_TEST_"),
    )


@pytest.fixture(scope="module")
def clients() -> dict[str | None, S3Client]:
    """Return clients by endpoint: to make one costs more than a test."""
    return {}


@pytest.fixture
def client(settings: S3Settings, clients: dict[str | None, S3Client]) -> S3Client:
    endpoint = settings.endpoint_url
    if endpoint not in clients:
        clients[endpoint] = connect(settings, read_only=False)
    client = clients[endpoint]
    client.create_bucket(
        Bucket=settings.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return client


class TestS3Bucket(BucketContract):
    server: ClassVar[str] = "s3_endpoint"
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


class TestOtherBucket(TestS3Bucket):
    """The same of a server by other authors: what one of them does by habit is no promise."""

    server = "ministack_endpoint"
    keeps_newlines = True


class TestOtherVersionedBucket(TestOtherBucket):
    """It answers a range of a named version with the whole, which S3 does not."""

    versioned = True
    ranges_of_versions = False


class TestStore:
    """What is asked of a whole server."""

    server: ClassVar[str] = "s3_endpoint"
    checks_digests: ClassVar[bool] = False
    keeps_archives_shut: ClassVar[bool] = True

    def test_a_try_sees_what_the_store_honours(
        self, client: S3Client, settings: S3Settings
    ) -> None:
        bucket = S3Bucket(client, settings)
        for _ in range(2):
            seen = bucket.probe("_repatria/probe")
            assert (seen.create_only, seen.replace_only, seen.versions) == (True, True, False)
            assert seen.checksums is self.checks_digests
        client.put_bucket_versioning(
            Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"}
        )
        assert bucket.probe("_repatria/probe").versions is True

    def test_the_store_says_where_it_is(self, client: S3Client, settings: S3Settings) -> None:
        observed = S3Bucket(client, settings).observe()
        assert observed.location == "eu-west-1"
        assert observed.endpoint == urlsplit(settings.endpoint_url or "").netloc
        assert observed.owner is None

    def test_a_reading_client_reads_and_changes_nothing(
        self, client: S3Client, settings: S3Settings
    ) -> None:
        stored = put(S3Bucket(client, settings), "a", b"body")
        reading = S3Bucket(connect(settings, read_only=True), settings)
        assert reading.read(stored).to_pybytes() == b"body"
        with pytest.raises(WriteRefused):
            put(reading, "b", b"body")
        with pytest.raises(WriteRefused):
            reading.probe("_repatria/probe")
        assert [found.object.key for found in reading.list("")] == ["a"]

    def test_a_listing_goes_past_a_thousand_keys(
        self, client: S3Client, settings: S3Settings
    ) -> None:
        keys = [f"k/{number:04d} +" for number in range(1001)]
        for key in keys:
            client.put_object(Bucket=settings.bucket, Key=key, Body=b"")
        assert [found.object.key for found in S3Bucket(client, settings).list("k/")] == keys

    def test_a_bucket_that_is_not_there_is_refused_by_name_of_its_site(
        self, settings: S3Settings
    ) -> None:
        bucket = S3Bucket(connect(settings, read_only=True), settings)
        for call in (lambda: list(bucket.list("")), bucket.observe):
            with pytest.raises(AccessRefused) as caught:
                call()
            assert caught.value.facts["site"] == "dublin-1"

    def test_a_store_that_is_not_there_is_transient(self, settings: S3Settings) -> None:
        nowhere = replace(settings, endpoint_url="http://127.0.0.1:9", connect_timeout_s=1.0)
        with pytest.raises(Transient):
            S3Bucket(connect(nowhere, read_only=True), nowhere).head("a")

    def test_an_archived_object_is_told_and_not_read(
        self, client: S3Client, settings: S3Settings
    ) -> None:
        client.put_object(Bucket=settings.bucket, Key="a", Body=b"cold", StorageClass="GLACIER")
        bucket = S3Bucket(client, settings)
        (listed,) = bucket.list("")
        assert listed.archived
        assert bucket.head("a").archived
        if self.keeps_archives_shut:
            with pytest.raises(Archived):
                bucket.read(listed.object)


class TestOtherStore(TestStore):
    """It checks digests, as S3 does, and reads what is archived, which S3 does not."""

    server = "ministack_endpoint"
    checks_digests = True
    keeps_archives_shut = False
