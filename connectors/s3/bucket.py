"""A bucket that speaks S3.

What it adds to the SDK is distrust (docs/design.md, argument 5): every body is checked against
the version, the range and the length that were asked for, every put is conditional and carries
the SHA-256 that the store must check, and no answer passes for what it does not say.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, Final, cast

import pyarrow as pa

from connectors.body_digest import Comparison, as_sent
from connectors.probing import try_promises
from connectors.s3.answers import (
    Range,
    about_parameters,
    check_body,
    found_in,
    odd,
    stored_in,
    told_of,
    version_of,
    wanted_of,
)
from connectors.s3.candour import S3Bucketful, may_put, try_reads
from connectors.s3.client import S3Settings
from connectors.s3.errors import translated
from connectors.s3.listing import Listing
from connectors.s3.location import keeps_versions, observe
from repatria.errors import RepatriaError, StaleSlice
from repatria.names import SiteName
from repatria.ports.bucket import Absent
from repatria.stored import About, Candour, Found, Honours, ObjectVersion, Observed

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_NO_TAGS: Final = frozenset({"NotImplemented", "MethodNotAllowed", "NoSuchTagSet"})


class S3Bucket:
    """One bucket behind one client; may be called from several threads."""

    def __init__(self, client: S3Client, settings: S3Settings, *, page_keys: int = 1000) -> None:
        self._client = client
        self._settings = settings
        self._page_keys = page_keys
        self._bucket: dict[str, Any] = {"Bucket": settings.bucket}
        if settings.expected_owner is not None:
            self._bucket["ExpectedBucketOwner"] = settings.expected_owner
        self._object = dict(self._bucket)
        if settings.requester_pays:
            self._object["RequestPayer"] = "requester"

    @property
    def site(self) -> SiteName:
        return self._settings.site

    def list(self, prefix: str, after: str | None = None) -> Iterator[Found]:
        asked = {**self._object, "Prefix": prefix, "MaxKeys": self._page_keys}
        return iter(Listing(self._client, self.site, asked, after))

    def head(self, key: str, version: str | None = None) -> Found:
        with translated(self.site, "HeadObject", versioned=version is not None):
            answer = self._client.head_object(
                **self._object, **_at(version), Key=key, ChecksumMode="ENABLED"
            )
        return found_in(dict(answer), key, self._settings)

    def tags(self, key: str, version: str | None = None) -> dict[str, str]:
        try:
            with translated(self.site, "GetObjectTagging", versioned=version is not None):
                answer = self._client.get_object_tagging(**self._object, **_at(version), Key=key)
        except RepatriaError as error:
            if error.facts.get("code") in _NO_TAGS:
                return {}
            raise
        if "TagSet" not in answer:
            odd("the store's answer is empty", self.site, "GetObjectTagging")
        if version is not None and version_of(answer) not in (None, version):
            odd("the store's answer is of another version", self.site, "GetObjectTagging")
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        wanted = Range(start, found.size if stop is None else stop, found.size)
        assert 0 <= start <= wanted.stop <= found.size, "a range lies inside its object"
        if start == wanted.stop and not wanted.whole:
            return pa.py_buffer(b"")
        answer, content = self._body(found, wanted)
        if wanted.whole:
            comparison = Comparison(wanted_of(answer, self._settings), self.site)
            comparison.update(content)
            comparison.end()
        return pa.py_buffer(content)

    def read_back(self, found: ObjectVersion, sent: pa.Buffer) -> pa.Buffer:
        _, content = self._body(found, Range(0, found.size, found.size))
        return as_sent(pa.py_buffer(content), sent, self.site)

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._stream(found, chunk_bytes)

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        content = pa.py_buffer(body)
        checksum = base64.b64encode(bytes.fromhex(about.sha256)).decode()
        told = about_parameters(about, self.site)
        with translated(self.site, "PutObject"):
            answer = self._client.put_object(
                **self._object,
                **self._encryption(),
                **_condition(replaces),
                **told,
                Key=key,
                Body=cast("IO[bytes]", pa.BufferReader(content)),
                ContentLength=content.size,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
            )
        return stored_in(dict(answer), key, content.size, checksum, self.site)

    def observe(self) -> Observed:
        return observe(self._client, self._settings, self._bucket)

    def probe(self, key: str) -> Honours:
        versions = keeps_versions(self._client, self._settings, self._bucket)
        return replace(try_promises(self, key), versions=versions)

    def probe_reads(self, prefix: str) -> Candour:
        return try_reads(S3Bucketful(self._client, self._settings, self._object), prefix)

    def may_put(self, key: str) -> bool | None:
        return may_put(S3Bucketful(self._client, self._settings, self._object), key)

    def _body(self, found: ObjectVersion, wanted: Range) -> tuple[dict[str, Any], bytes]:
        answer = self._open(found, wanted)
        with closing(answer["Body"]) as body, translated(self.site, "GetObject"):
            content: bytes = body.read()
        if len(content) != wanted.stop - wanted.start:
            odd("a body is not as long as it says", self.site, "GetObject")
        return answer, content

    def _open(self, found: ObjectVersion, wanted: Range) -> dict[str, Any]:
        """Ask for a piece of exactly that version and check what comes before the body.

        Only whole bodies are asked for with their checksum: that of the object says nothing
        about a piece of it.
        """
        asked: dict[str, Any] = _at(found.version) or {"IfMatch": f'"{found.etag}"'}
        asked |= {"ChecksumMode": "ENABLED"} if wanted.whole else {"Range": wanted.asked}
        with translated(self.site, "GetObject", versioned=found.version is not None):
            answer: dict[str, Any] = dict(
                self._client.get_object(**self._object, **asked, Key=found.key)
            )
        try:
            check_body(answer, found, wanted, self.site)
        except RepatriaError as error:
            answer["Body"].close()
            if isinstance(error, StaleSlice):
                self._doubt(found)
            raise
        return answer

    def _doubt(self, found: ObjectVersion) -> None:
        """Look before an object counts as changed: it was asked for on condition that it is not.

        Raises ``Transient`` if it still is that version: the answer was not about it.
        """
        stands = self.head(found.key, found.version).object
        if (stands.etag, stands.size) == (found.etag, found.size):
            odd("the answer is about another object", self.site, "GetObject")

    @contextmanager
    def _stream(self, found: ObjectVersion, chunk_bytes: int) -> Iterator[Iterator[bytes]]:
        answer = self._open(found, Range(0, found.size, found.size))
        with closing(answer["Body"]) as body:
            comparison = Comparison(told_of(answer), self.site)
            yield self._chunks(body, found.size, chunk_bytes, comparison)

    def _chunks(
        self, body: StreamingBody, size: int, chunk_bytes: int, comparison: Comparison
    ) -> Iterator[bytes]:
        """Yield ``size`` bytes, and compare them. The last, empty read makes the SDK look, too."""
        passed = 0
        while True:
            with translated(self.site, "GetObject"):
                chunk = body.read(chunk_bytes)
            passed += len(chunk)
            if passed > size or (not chunk and passed < size):
                odd("a body is not as long as it says", self.site, "GetObject")
            if not chunk:
                comparison.end()
                return
            comparison.update(chunk)
            yield chunk

    def _encryption(self) -> dict[str, Any]:
        if self._settings.sse == "none":
            return {}
        told: dict[str, Any] = {"ServerSideEncryption": self._settings.sse}
        if self._settings.kms_key_id is not None:
            told["SSEKMSKeyId"] = self._settings.kms_key_id
        return told


def _at(version: str | None) -> dict[str, Any]:
    return {} if version is None else {"VersionId": version}


def _condition(replaces: ObjectVersion | Absent) -> dict[str, Any]:
    if isinstance(replaces, Absent):
        return {"IfNoneMatch": "*"}
    return {"IfMatch": f'"{replaces.etag}"'}
