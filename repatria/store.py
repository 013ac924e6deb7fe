"""Stores: where a site keeps its objects, and by whose authority we reach them.

Credentials are references, always: what a store noun holds may be printed, digested and
kept in a ledger. Who opens the store looks the secret up, where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Encryption(StrEnum):
    """What the store is asked to encrypt a new object with."""

    NONE = "none"  #: Nothing is asked; the bucket's own default holds.
    AES256 = "AES256"
    KMS = "aws:kms"


class Etags(StrEnum):
    """What an ETag of 32 hexadecimal digits is, where nothing says otherwise."""

    MD5 = "md5"  #: The MD5 of the body, as the real service has it for a single, plain put.
    OPAQUE = "opaque"  #: Anything.


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of the AWS configuration files."""

    profile: str


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """Variables named ``<prefix>_ACCESS_KEY_ID`` and ``<prefix>_SECRET_ACCESS_KEY``.

    ``<prefix>_SESSION_TOKEN`` is used too where it is set.
    """

    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedRole:
    """A role to assume, beginning from a profile or from the default chain."""

    role: str
    external_id: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class DefaultChain:
    """Whatever the SDK finds by itself."""


Credentials = Profile | FromEnvironment | AssumedRole | DefaultChain


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An S3 bucket, or a part of one.

    ``endpoint`` is ``scheme://host[:port]`` in lower case, or None for AWS itself. ``prefix`` is
    empty or ends in ``/``. ``kms_key`` is an ARN. The two rates are None where nobody limits them.
    ``etags`` says whether an ETag that looks like an MD5 is one.
    """

    kind: str = "s3"
    endpoint: str | None = None
    region: str
    bucket: str
    prefix: str = ""
    path_style: bool = False
    ca_bundle: Path | None = None
    credentials: Credentials
    expected_owner: str | None = None
    requester_pays: bool = False
    sse: Encryption = Encryption.NONE
    kms_key: str | None = None
    requests_per_s: float | None = None
    bytes_per_s: int | None = None
    connect_s_max: float = 10.0
    read_s_max: float = 60.0
    etags: Etags = Etags.MD5
