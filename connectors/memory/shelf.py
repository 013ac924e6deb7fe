"""What stands in a bucket in memory: the versions of each key, in order of the keys' UTF-8 bytes.

No argument of its own and no lock: ``MemoryBucket`` holds one around every call.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from repatria.stored import About, Checksum, Found, ObjectVersion

ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects must be restored before they can be read."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of one object; ``body`` is None for a mark that the key was removed."""

    object: ObjectVersion
    body: pa.Buffer | None = field(repr=False)
    about: About = field(repr=False)
    at: datetime
    checksum: Checksum | None = None

    @property
    def archived(self) -> bool:
        """Whether the object must be restored before it can be read."""
        return self.about.storage_class in ARCHIVES

    def listed(self) -> Found:
        """Tell of it what a listing tells: no version, no headers."""
        return Found(
            object=ObjectVersion(self.object.key, self.object.size, self.object.etag),
            modified_at=self.at,
            archived=self.archived,
            storage_class=self.about.storage_class,
        )

    def found(self) -> Found:
        """Tell of it what a look at the object tells."""
        return Found(
            object=self.object,
            modified_at=self.at,
            archived=self.archived,
            storage_class=self.about.storage_class,
            checksum=self.checksum,
            etag_is_md5="-" not in self.object.etag,
            headers=dict(self.about.headers),
            metadata=dict(self.about.metadata),
        )


class Shelf:
    """The versions of every key, the newest last."""

    def __init__(self, *, versioned: bool) -> None:
        self._versioned = versioned
        self._order: list[bytes] = []
        self._kept: dict[str, list[Kept]] = {}

    def newest(self, key: str) -> Kept | None:
        """Return what stands at ``key`` now; None where nothing does, or it was removed."""
        versions = self._kept.get(key)
        return versions[-1] if versions and versions[-1].body is not None else None

    def at_version(self, key: str, version: str) -> Kept | None:
        """Return that version of ``key``, though newer ones may stand above it."""
        for kept in self._kept.get(key, ()):
            if kept.object.version == version and kept.body is not None:
                return kept
        return None

    def add(self, kept: Kept) -> None:
        """Let ``kept`` stand at its key from now on."""
        key = kept.object.key
        if key not in self._kept:
            bisect.insort(self._order, key.encode())
            self._kept[key] = []
        if not self._versioned:
            self._kept[key].clear()
        self._kept[key].append(kept)

    def forget(self, key: str) -> None:
        """Drop every version of ``key``."""
        if self._kept.pop(key, None) is not None:
            del self._order[bisect.bisect_left(self._order, key.encode())]

    def after(self, prefix: str, last: bytes | None) -> Iterator[Kept]:
        """Yield what stands under ``prefix`` past the key ``last``, in order."""
        lead = prefix.encode()
        start = bisect.bisect_left(self._order, lead)
        if last is not None:
            start = max(start, bisect.bisect_right(self._order, last))
        for position in range(start, len(self._order)):
            if not self._order[position].startswith(lead):
                return
            kept = self.newest(self._order[position].decode())
            if kept is not None:
                yield kept


def md5_hex(body: pa.Buffer) -> str:
    """Return the MD5 of ``body``: the ETag of a single, unencrypted put; not a safeguard."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def sha256_checksum(body: pa.Buffer) -> Checksum:
    """Return the SHA-256 of ``body`` as S3 writes it."""
    return Checksum("SHA256", base64.b64encode(hashlib.sha256(body).digest()).decode())


def sha256_hex(checksum: Checksum) -> str:
    """Return a SHA-256 in hexadecimal, as the port writes it."""
    return base64.b64decode(checksum.value).hex()
