"""An S3 client whose answers are written by the test: bytes, as a damaged store would send them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from connectors.s3.bucket import S3Bucket
from connectors.s3.client import S3Settings, connect
from connectors.s3.credentials import FromEnvironment
from repatria.names import SiteName

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SITE = SiteName("dublin-1")
SETTINGS = S3Settings(
    site=SITE,
    bucket="parcels",
    region="eu-west-1",
    endpoint_url="https://user:secret@store.invalid:9000",
    credentials=FromEnvironment("CANNED_"),
)


@dataclass
class Answer:
    """One answer: status, body and headers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, request: Any) -> AWSResponse:
        headers = {"content-length": str(len(self.body)), **self.headers}
        raw = HTTPResponse(
            BytesIO(self.body),
            headers,
            self.status,
            preload_content=False,
            request_method=request.method,
        )
        return AWSResponse(request.url, self.status, raw.headers, raw)  # type: ignore[arg-type]


@cache
def client_of(settings: S3Settings) -> S3Client:
    """A client whose making costs much more than a test does."""
    return connect(settings, read_only=False)


class Canned:
    """A bucket whose requests never leave: each is met by the next answer."""

    def __init__(self, settings: S3Settings, *answers: Answer) -> None:
        client = client_of(settings)
        self.bucket = S3Bucket(client, settings)
        self.requests: list[Any] = []
        self._answers: Iterator[Answer] = iter(answers)
        events: Any = client.meta.events
        events.unregister("before-send.s3", unique_id="canned")
        events.register("before-send.s3", self._answer, unique_id="canned")

    def _answer(self, request: Any, **_rest: object) -> AWSResponse:
        self.requests.append(request)
        return next(self._answers).response(request)


def sha256_hex(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def give_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANNED_ACCESS_KEY_ID", "AKIACANNED")
    monkeypatch.setenv("CANNED_SECRET_ACCESS_KEY", "not a secret")


def page(*keys: str, more: str = "", name: str = "parcels", count: int | None = None) -> Answer:
    entries = "".join(
        f"<Contents><Key>{key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>"
        for key in keys
    )
    token = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    body = (
        f"<ListBucketResult><Name>{name}</Name><Prefix>p/</Prefix>{token}"
        f"<KeyCount>{len(keys) if count is None else count}</KeyCount>"
        f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{entries}</ListBucketResult>"
    )
    return Answer(body=body.encode())
