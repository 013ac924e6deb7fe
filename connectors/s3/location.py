"""Asks a store where it really is: its own answers, never the configuration's.

An owner is told only if the store was seen to refuse a wrong one: some stores ignore the
question, and then their "yes" says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from connectors.s3.answers import odd
from connectors.s3.client import S3Settings, endpoint_host
from connectors.s3.errors import translated
from repatria.errors import AccessRefused, RepatriaError
from repatria.stored import Observed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_OLD_NAMES: Final = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}
_KEY_ARN: Final = re.compile(r"arn:[^:]+:kms:([a-z0-9-]+):[0-9]*:(?:key|alias)/.+")
_NOBODY: Final = ("000000000000", "000000000001")
_UNTOLD: Final = frozenset({"NotImplemented", "ServerSideEncryptionConfigurationNotFoundError"})


def observe(client: S3Client, settings: S3Settings, asked: Mapping[str, Any]) -> Observed:
    """Ask for region, owner and key. ``asked`` names the bucket and its expected owner."""
    location, skew_s = _location(client, settings, asked)
    return Observed(
        endpoint=endpoint_host(client),
        location=location,
        clock_skew_s=skew_s,
        owner=_owner(client, settings),
        key_region=_key_region(client, settings, asked),
    )


def keeps_versions(client: S3Client, settings: S3Settings, asked: Mapping[str, Any]) -> bool:
    """Ask whether the bucket keeps versions now; a suspended one does not."""
    with translated(settings.site, "GetBucketVersioning"):
        answer: dict[str, Any] = dict(client.get_bucket_versioning(**asked))
    _check_said(answer, settings, "GetBucketVersioning")
    return answer.get("Status") == "Enabled"


def key_region(key_id: str | None) -> str | None:
    """Return the region of a KMS key; only an ARN says it."""
    match = _KEY_ARN.fullmatch(key_id or "")
    return match.group(1) if match else None


def _location(
    client: S3Client, settings: S3Settings, asked: Mapping[str, Any]
) -> tuple[str | None, float | None]:
    """Return where the store says it is, and by how much its clock is ahead of ours."""
    try:
        with translated(settings.site, "GetBucketLocation"):
            answer: dict[str, Any] = dict(client.get_bucket_location(**asked))
    except RepatriaError as error:
        if error.facts.get("code") in _UNTOLD:
            return None, None
        raise
    _check_said(answer, settings, "GetBucketLocation")
    told: str | None = answer.get("LocationConstraint")
    return _OLD_NAMES.get(told, told), _skew_s(answer)


def _skew_s(answer: Mapping[str, Any]) -> float | None:
    """Read the answer's ``Date`` (RFC 9110, whole seconds); None where there is none."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        theirs = parsedate_to_datetime(str(date))
    except ValueError:
        return None
    return (theirs - datetime.now(UTC)).total_seconds() if theirs.tzinfo is not None else None


def _owner(client: S3Client, settings: S3Settings) -> str | None:
    if settings.expected_owner is None:
        return None
    _look_at_bucket(client, settings, settings.expected_owner)
    nobody = next(owner for owner in _NOBODY if owner != settings.expected_owner)
    try:
        _look_at_bucket(client, settings, nobody)
    except AccessRefused:
        return settings.expected_owner
    return None


def _look_at_bucket(client: S3Client, settings: S3Settings, owner: str) -> None:
    with translated(settings.site, "HeadBucket"):
        client.head_bucket(Bucket=settings.bucket, ExpectedBucketOwner=owner)


def _key_region(client: S3Client, settings: S3Settings, asked: Mapping[str, Any]) -> str | None:
    if settings.sse == "aws:kms" and settings.kms_key_id is not None:
        return key_region(settings.kms_key_id)
    try:
        with translated(settings.site, "GetBucketEncryption"):
            answer: dict[str, Any] = dict(client.get_bucket_encryption(**asked))
    except RepatriaError as error:
        if isinstance(error, AccessRefused) or error.facts.get("code") in _UNTOLD:
            return None
        raise
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    keys = (
        rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in rules
    )
    return next((region for region in map(key_region, keys) if region is not None), None)


def _check_said(answer: Mapping[str, Any], settings: S3Settings, operation: str) -> None:
    """Refuse an empty 200, which would read as "us-east-1" or as "keeps no versions"."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if headers.get("content-length") == "0":
        odd("the store's answer is empty", settings.site, operation)
