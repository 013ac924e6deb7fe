"""Objects of a store: which one, at which version, and what the store says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One object at one version.

    ``etag`` is as the store gives it, without quotes; ``version`` is None in a bucket that
    keeps no versions. The key has no repr: under law 9 a key can name a person.
    """

    key: str = field(repr=False)
    size: int
    etag: str
    version: str | None = None

    @property
    def token(self) -> str:
        """What names this version in a receipt: the version where there is one, else the ETag."""
        return self.version if self.version is not None else self.etag


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum that the store keeps: of the whole object, base64 as S3 writes it."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a listing or a look at one object tells. A listing leaves most of it out."""

    object: ObjectVersion
    modified_at: datetime | None = None
    archived: bool = False
    storage_class: str = "STANDARD"
    checksum: Checksum | None = None
    etag_is_md5: bool = False  #: Known to be one: a single, unencrypted put, or SSE-S3.
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None  #: None where they were not asked for.


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is stored beside the bytes of an object.

    ``headers`` uses HTTP names (``Content-Type``, ``Content-Encoding``, ``Cache-Control``, …);
    ``metadata`` is the user's; ``sha256`` is hexadecimal and the store must check it.
    """

    sha256: str
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Where a store really is, as far as it can be seen from here. None: it did not say."""

    endpoint: str
    location: str | None
    owner: str | None = None
    key_region: str | None = None  #: Of the KMS key that encrypts at rest.
    clock_skew_s: float | None = None  #: The store's clock minus ours.


@dataclass(frozen=True, slots=True, kw_only=True)
class Honours:
    """What a store was seen to honour. None: not observed, and then nothing depends on it."""

    create_only: bool | None = None  #: ``If-None-Match: *`` refuses to overwrite.
    replace_only: bool | None = None  #: ``If-Match`` refuses to replace another version.
    checksums: bool | None = None  #: A put whose SHA-256 is wrong is refused.
    versions: bool | None = None  #: The bucket keeps versions.
    listed: bool | None = None  #: What was put is listed at once.


@dataclass(frozen=True, slots=True, kw_only=True)
class Candour:
    """What a store was seen to honour when it is read; seen without a write. None: not observed."""

    ranges: bool | None = None  #: The bytes that are asked for are those that are answered.
    fresh: bool | None = None  #: A read that names another version (``If-Match``) is refused.
    pages: bool | None = None  #: Pages of any size tell the same keys, in order, each once.
    ends: bool | None = None  #: Where a listing ends nothing follows.
    versions: bool | None = None  #: The bucket keeps versions.
