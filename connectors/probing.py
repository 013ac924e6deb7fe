"""Tries the promises of a bucket through its own port, by writing tiny objects.

A bucket cannot delete, so that one small object stays behind for each promise; a later try
finds them and works all the same. What a try cannot tell apart from a fault is raised, and
nothing is said: a promise is honoured only if the store was seen to refuse its breach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from repatria.errors import Missing, Occupied, RepatriaError, StoreRefused, Transient
from repatria.ports.bucket import ABSENT, Absent, Reads, Writes
from repatria.stored import About, Honours, ObjectVersion

DIGEST_CODES: Final = frozenset(
    {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
)
"""Error codes with which a store refuses a body that is not the one whose digest it was told."""

UNKNOWN_CONDITIONS: Final = "NotImplemented"
"""The error code of a store that does not implement conditional puts."""

_LOOKS: Final = 3
_NAMES: Final = ("create-only", "replace-only", "checksum")
_BODY: Final = b"repatria probe\n"
_OTHER: Final = b"repatria probe, again\n"
_NOBODY: Final = "0" * 32


class _Tried(Reads, Writes, Protocol):
    """What a try needs."""


def try_promises(bucket: _Tried, key: str) -> Honours:
    """Try conditions, checksums and listing under ``key``; ``versions`` is not tried."""
    return Honours(
        create_only=_creates_only(bucket, f"{key}/create-only"),
        replace_only=_replaces_only(bucket, f"{key}/replace-only"),
        checksums=_checks_bodies(bucket, f"{key}/checksum"),
        listed=_lists(bucket, f"{key}/"),
    )


def _creates_only(bucket: _Tried, key: str) -> bool:
    return _refuses(lambda: _put(bucket, key, _BODY, ABSENT)) or _refuses(
        lambda: _put(bucket, key, _OTHER, ABSENT)
    )


def _replaces_only(bucket: _Tried, key: str) -> bool:
    standing = _stand(bucket, key)
    if standing is None:
        return False
    wrong = ObjectVersion(key, standing.size, _NOBODY)
    return _refuses(lambda: _put(bucket, key, _OTHER, wrong))


def _checks_bodies(bucket: _Tried, key: str) -> bool | None:
    standing = _stand(bucket, key)
    if standing is None:
        return None
    lie = About(sha256=hashlib.sha256(b"something else").hexdigest())
    try:
        bucket.put(key, _OTHER, lie, standing)
    except RepatriaError as error:
        if error.facts.get("code") in DIGEST_CODES:
            return True
        raise
    return False


def _lists(bucket: _Tried, front: str) -> bool | None:
    """Whether all that a try has put, and a look finds, is in the listing just now.

    One damaged answer says nothing; a store that never answers with a listing has none.
    """
    standing = {front + name for name in _NAMES if _stands(bucket, front + name)}
    if not standing:
        return None
    for _ in range(_LOOKS):
        try:
            return standing <= {found.object.key for found in bucket.list(front)}
        except StoreRefused as error:
            if "code" in error.facts:  # The store's own word about something else.
                raise
            return False
        except Transient as error:
            if not error.odd:
                raise
    return False


def _stands(bucket: _Tried, key: str) -> bool:
    try:
        bucket.head(key)
    except Missing:
        return False
    return True


def _stand(bucket: _Tried, key: str) -> ObjectVersion | None:
    """Put something at ``key`` unless it is there; None if the store knows no conditions."""
    try:
        return _put(bucket, key, _BODY, ABSENT)
    except Occupied:
        return bucket.head(key).object
    except StoreRefused as error:
        _only_unknown_conditions(error)
        return None


def _put(bucket: _Tried, key: str, body: bytes, replaces: ObjectVersion | Absent) -> ObjectVersion:
    return bucket.put(key, body, About(sha256=hashlib.sha256(body).hexdigest()), replaces)


def _refuses(put: Callable[[], ObjectVersion]) -> bool:
    """Whether the store refused for the condition's sake; not knowing conditions is not it."""
    try:
        put()
    except Occupied:
        return True
    except StoreRefused as error:
        _only_unknown_conditions(error)
    return False


def _only_unknown_conditions(error: StoreRefused) -> None:
    """Let pass that a store does not implement conditions; raise anything else again."""
    if error.facts.get("code") != UNKNOWN_CONDITIONS:
        raise error
