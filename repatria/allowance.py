"""What a role of ours is allowed to do at a store: tried one permission at a time, and named.

A source is only read. At a home two tiny objects are put under the reserved key, one of them with
a tag; whether the store keeps its promises is another question (``repatria.promises``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from repatria.errors import AccessRefused, Missing, Occupied, RepatriaError, Transient
from repatria.finding import Finding, Grade
from repatria.ports.bucket import ABSENT, Bucket, Reads
from repatria.stored import About, Found, ObjectVersion

Tries = Sequence[tuple[str, Callable[[], object]]]
"""What to try, each with the permission that it needs."""

_LOOKED_AT: Final = 100
"""So many objects of a dataset are looked through for one that can be read."""

_BODY: Final = b"repatria probe\n"

_CAUSES: Final = {
    "NoSuchBucket": "there is no such bucket: correct `bucket` in the store's configuration",
    "NoCredentialsError": "no credentials were found where the store's `credentials` point",
    "InvalidAccessKeyId": "the store does not know these credentials",
    "SignatureDoesNotMatch": "the secret of these credentials is another one",
    "ProfileNotFound": "there is no such profile in the AWS configuration of this machine",
    "ExpiredToken": "these credentials have expired",
}
"""What an S3 error code means for whoever configured the store."""

_NEEDED: Final = {
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetBucketVersioning": "s3:GetBucketVersioning",
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "GetObjectTagging": "s3:GetObjectTagging",
    "PutObject": "s3:PutObject",
}
"""The permission that an operation needs, by the operation that an error names."""

_UNREADABLE: Final = frozenset({"ResponseParserError", "ParseError"})


def away(name: str, what: str, error: RepatriaError) -> Finding:
    """Tell of a failure that ends the looking at ``what``, and what it means."""
    means = error.hint
    if isinstance(error, AccessRefused):
        needed = _NEEDED.get(str(error.facts.get("operation")))
        means = _CAUSES.get(_cause(error), f"the role needs {needed}" if needed else error.hint)
    elif isinstance(error, Transient):
        means = "the store does not answer now; nothing else was looked at"
        if _is_odd(error):
            means = "its answers are not what they claim to be: nothing is taken from them"
    return Finding(f"{name}: {what}", Grade.ILL, str(error), means)


def listing(bucket: Reads, prefix: str, found: list[Found]) -> Tries:
    """Return the try of a listing, which also gathers the first objects."""
    return [("s3:ListBucket", lambda: found.extend(islice(bucket.list(prefix), _LOOKED_AT)))]


def reading(bucket: Reads, found: Sequence[Found]) -> Tries:
    """Return the tries of whatever is done with a source's objects."""
    key, seen = found[0].object.key, list[ObjectVersion]()
    tries: list[tuple[str, Callable[[], object]]] = [
        ("s3:GetObject", lambda: seen.append(bucket.head(key).object)),
        ("s3:GetObjectTagging", lambda: bucket.tags(key)),
        ("s3:GetObjectVersionTagging", lambda: _tags_of_version(bucket, seen)),
    ]
    if (it := readable(found)) is not None:
        tries.insert(1, ("s3:GetObject", lambda: bucket.read(it.object, 0, 1)))
    return tries


def readable(found: Sequence[Found]) -> Found | None:
    """Return the first object that has a byte and is not archived."""
    return next((one for one in found if one.object.size and not one.archived), None)


def arriving(bucket: Bucket, key: str) -> Tries:
    """Return the tries of whatever is done at a home, with objects beside ``key``."""
    seen = list[ObjectVersion]()
    return [
        ("s3:PutObject", lambda: _stand(bucket, f"{key}-plain", {})),
        ("s3:PutObjectTagging", lambda: _stand(bucket, f"{key}-tagged", {"repatria": "probe"})),
        ("s3:GetObject", lambda: seen.append(bucket.head(f"{key}-plain").object)),
        ("s3:GetObjectVersion", lambda: [bucket.read(it) for it in seen]),
        ("s3:GetObjectTagging", lambda: bucket.tags(f"{key}-plain")),
        ("s3:GetObjectVersionTagging", lambda: _tags_of_version(bucket, seen)),
    ]


def lacking(about: str, tries: Tries) -> Iterator[Finding]:
    """Try each in turn, and name each permission that is missing once."""
    told = set[str]()
    for permission, call in tries:
        try:
            call()
        except AccessRefused as error:
            if permission not in told:
                told.add(permission)
                cause = _CAUSES.get(_cause(error))
                means = cause or f"the role needs {permission}"
                yield Finding(about, Grade.ILL, str(error), means)
        except RepatriaError as error:
            if not (told and isinstance(error, Missing)):  # It could not be put, as was told.
                name, _, what = about.partition(": ")
                yield away(name, what, error)
            return


def _stand(bucket: Bucket, key: str, tags: dict[str, str]) -> None:
    about = About(sha256=hashlib.sha256(_BODY).hexdigest(), tags=tags)
    with suppress(Occupied):
        bucket.put(key, _BODY, about, ABSENT)


def _tags_of_version(bucket: Reads, seen: Sequence[ObjectVersion]) -> None:
    for it in seen:
        if it.version is not None:
            bucket.tags(it.key, it.version)


def _cause(error: RepatriaError) -> str:
    return str(error.facts.get("code") or error.facts.get("cause") or "")


def _is_odd(error: Transient) -> bool:
    """Whether the store did answer, and the answer was not one."""
    if error.facts.get("cause") in _UNREADABLE:
        return True
    return error.odd
