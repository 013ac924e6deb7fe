"""Tries what a store honours when it is read, without a write; and what its role could write.

Each promise is tried by its breach, and what the store really answers is seen: the checks of the
connector stand aside here, or a store that ignores ``If-Match`` would look like one that does
not. What a try cannot tell apart from a fault is raised, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from connectors.s3.answers import Range
from connectors.s3.client import S3Settings
from connectors.s3.errors import translated
from connectors.s3.listing import Listing
from connectors.s3.location import keeps_versions
from repatria.errors import AccessRefused, Missing, RepatriaError, StaleSlice, StoreRefused
from repatria.names import SiteName
from repatria.stored import Candour, Found, ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE_KEYS: Final = 1000
"""The longest page of S3; the pages of a listing are read beyond one, where there is more."""

SMALL_PAGE_KEYS: Final = 2
_SMALL_KEYS: Final = 7
_PIECE_BYTES: Final = 64
_LOOKS: Final = 3
_NOBODY: Final = "0" * 32
_NO_UPLOAD: Final = "repatria-asks-only"


@dataclass(frozen=True, slots=True)
class S3Bucketful:
    """A client, and what each request about objects says: bucket, owner, payer."""

    client: S3Client
    settings: S3Settings
    asked: dict[str, Any]

    @property
    def site(self) -> SiteName:
        return self.settings.site


def try_reads(bucket: S3Bucketful, prefix: str) -> Candour:
    """Try listings and reads on what stands under ``prefix``."""
    versions = _keeps_versions(bucket)
    large = _walk(bucket, prefix, PAGE_KEYS, PAGE_KEYS + 1)
    if large is None:
        return Candour(pages=False, versions=versions)
    if not large:
        return Candour(versions=versions)
    pages, small, large = _pages(bucket, prefix, large)
    seen = Candour(pages=pages, ends=_ends(bucket, prefix, small, large), versions=versions)
    whole = next((it.object for it in large if it.object.size > 1 and not it.archived), None)
    if whole is None:
        return seen
    return replace(seen, ranges=_ranges(bucket, whole), fresh=_fresh(bucket, whole))


def may_put(bucket: S3Bucketful, key: str) -> bool | None:
    """Ask to complete an upload that nobody began: S3 looks at ``s3:PutObject`` first.

    No byte of an object is sent, so that nothing can be written, whatever the store makes of it.
    Source: S3 API reference, CompleteMultipartUpload, "Permissions" and ``NoSuchUpload``.
    """
    asked = {**bucket.asked, "Key": key, "UploadId": _NO_UPLOAD}
    try:
        with translated(bucket.site, "CompleteMultipartUpload"):
            bucket.client.complete_multipart_upload(**asked)
    except AccessRefused as error:
        return False if error.facts.get("code") == "AccessDenied" else None
    except RepatriaError as error:
        return True if error.facts.get("code") == "NoSuchUpload" else None
    return None


def _keeps_versions(bucket: S3Bucketful) -> bool | None:
    """Ask whether versions are kept; a reader may do without the permission to ask."""
    named: dict[str, Any] = {
        name: bucket.asked[name] for name in _OF_BUCKETS if name in bucket.asked
    }
    try:
        return keeps_versions(bucket.client, bucket.settings, named)
    except (AccessRefused, StoreRefused):
        return None


_OF_BUCKETS: Final = ("Bucket", "ExpectedBucketOwner")


def _walk(
    bucket: S3Bucketful, prefix: str, page_keys: int, most: int, after: str | None = None
) -> list[Found] | None:
    """List at most ``most`` objects, believing the first end that is announced.

    None: out of order, repeated, or astray.
    """
    asked = {**bucket.asked, "Prefix": prefix, "MaxKeys": page_keys}
    try:
        return list(islice(Listing(bucket.client, bucket.site, asked, after, trusting=True), most))
    except StoreRefused as error:
        if "code" in error.facts:  # The store's own word about something else.
            raise
        return None


def _pages(
    bucket: S3Bucketful, prefix: str, large: list[Found]
) -> tuple[bool | None, list[Found], list[Found]]:
    """Compare small pages with large ones, between two looks at which nothing changed.

    Returns both walks too.
    """
    for _ in range(_LOOKS):
        small = _walk(bucket, prefix, SMALL_PAGE_KEYS, _SMALL_KEYS)
        again = _walk(bucket, prefix, PAGE_KEYS, PAGE_KEYS + 1)
        if small is None or again is None:
            return False, [], large
        if _names(large) == _names(again):
            return _names(small) == _names(large)[: len(small)], small, large
        large = again
    return None, [], large


def _ends(
    bucket: S3Bucketful, prefix: str, small: Sequence[Found], large: Sequence[Found]
) -> bool | None:
    """Whether nothing follows where a listing, by small pages or by large ones, was ended."""
    ended = [small[-1]] if 0 < len(small) < _SMALL_KEYS else []
    ended += [large[-1]] if 0 < len(large) <= PAGE_KEYS else []
    more = [_walk(bucket, prefix, 1, 1, last.object.key) for last in ended]
    return None if None in more else not any(more)


def _names(found: Sequence[Found]) -> list[str]:
    return [one.object.key for one in found]


def _ranges(bucket: S3Bucketful, found: ObjectVersion) -> bool | None:
    """Ask for a piece, and for a piece of that piece."""
    stop = min(found.size, _PIECE_BYTES)
    pieces = []
    try:
        for wanted in (Range(0, stop, found.size), Range(1, stop, found.size)):
            said, body = _get(bucket, found, {"Range": wanted.asked})
            if said != (206, wanted.answered, wanted.stop - wanted.start):
                return False
            pieces.append(body)
    except (StaleSlice, Missing):
        return None
    return pieces[0][1:] == pieces[1]


def _fresh(bucket: S3Bucketful, found: ObjectVersion) -> bool | None:
    """Ask for a version that nobody wrote."""
    try:
        _get(bucket, replace(found, etag=_NOBODY), {"Range": "bytes=0-0"})
    except StaleSlice:
        return True
    except Missing:
        return None
    return False


def _get(
    bucket: S3Bucketful, found: ObjectVersion, more: dict[str, Any]
) -> tuple[tuple[int, str | None, int], bytes]:
    """Return status, range and length as the answer says them, and no more than a piece of it."""
    asked: dict[str, Any] = {"IfMatch": f'"{found.etag}"', **more}
    with translated(bucket.site, "GetObject"):
        answer: dict[str, Any] = dict(
            bucket.client.get_object(**bucket.asked, **asked, Key=found.key)
        )
        with closing(answer["Body"]) as body:
            content: bytes = body.read(_PIECE_BYTES)
    status = int(answer["ResponseMetadata"]["HTTPStatusCode"])
    return (status, answer.get("ContentRange"), answer.get("ContentLength", -1)), content
