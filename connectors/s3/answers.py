"""What the store says of an object, in our nouns; and whether a body is the one that was asked for.

An answer without an ETag is no answer: an empty 200, or a proxy's error page with status 200,
has none, and the SDK would hand both over as data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

from botocore.utils import parse_to_aware_datetime

from connectors.body_digest import comparable, md5_of
from connectors.s3.client import S3Settings
from connectors.s3.listing import ARCHIVES
from repatria.errors import BadObject, StaleSlice, Transient
from repatria.names import SiteName
from repatria.stored import About, Checksum, Found, ObjectVersion

HEADERS: Final = {
    "Cache-Control": "CacheControl",
    "Content-Disposition": "ContentDisposition",
    "Content-Encoding": "ContentEncoding",
    "Content-Language": "ContentLanguage",
    "Content-Type": "ContentType",
    "Expires": "Expires",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
}
"""HTTP headers that a store keeps, and the parameters with which the SDK sends them."""

_STRONGEST_FIRST: Final = ("SHA512", "SHA256", "SHA1", "MD5", "CRC64NVME", "CRC32C", "CRC32")
_WHOLE: Final = "FULL_OBJECT"
_ARCHIVE_STATUSES: Final = frozenset({"ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"})
_MD5: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes ``start`` up to, not including, ``stop`` of an object of ``size`` bytes."""

    start: int
    stop: int
    size: int

    @property
    def whole(self) -> bool:
        """Whether the range is the object; then no range is asked for."""
        return self.start == 0 and self.stop == self.size

    @property
    def asked(self) -> str:
        """The range as a request names it."""
        return f"bytes={self.start}-{self.stop - 1}"

    @property
    def answered(self) -> str:
        """The range as an answer names it."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def found_in(answer: Mapping[str, Any], key: str, settings: S3Settings) -> Found:
    """Read the answer to a look at one object."""
    site = settings.site
    etag = etag_of(answer, site, "HeadObject")
    size = answer.get("ContentLength")
    if not isinstance(size, int):
        odd("a look does not say the object's size", site, "HeadObject")
    return Found(
        object=ObjectVersion(key, size, etag, version_of(answer)),
        modified_at=answer.get("LastModified"),
        archived=_archived(answer),
        storage_class=answer.get("StorageClass", "STANDARD"),
        checksum=_checksum(answer, etag),
        etag_is_md5=settings.etags_are_md5 and _is_md5(answer, etag),
        headers=_headers(answer),
        metadata=dict(answer.get("Metadata", {})),
    )


def etag_of(answer: Mapping[str, Any], site: SiteName, operation: str) -> str:
    """Return the ETag without its quotes. Raises ``Transient`` where there is none."""
    etag = answer.get("ETag")
    if not isinstance(etag, str) or not etag.strip('"'):
        odd("the store's answer has no ETag: it is not about an object", site, operation)
    return etag.strip('"')


def version_of(answer: Mapping[str, Any]) -> str | None:
    """Return the version; what stood there before the bucket kept versions has none."""
    version = answer.get("VersionId")
    return None if version in (None, "", "null") else str(version)


def check_body(
    answer: Mapping[str, Any], found: ObjectVersion, wanted: Range, site: SiteName
) -> None:
    """Compare what comes before a body with what was asked for.

    Raises ``StaleSlice`` for another version, and ``Transient`` for another piece of this one.
    """
    if etag_of(answer, site, "GetObject") != found.etag:
        raise StaleSlice("the object is not that version", site=site, operation="GetObject")
    if found.version is not None and version_of(answer) not in (None, found.version):
        raise StaleSlice("the object is not that version", site=site, operation="GetObject")
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status != (200 if wanted.whole else 206):
        odd("the answer is not the piece that was asked for", site, "GetObject")
    if not wanted.whole and answer.get("ContentRange") != wanted.answered:
        odd("the answer is another piece than was asked for", site, "GetObject")
    if answer.get("ContentLength") != wanted.stop - wanted.start:
        odd("the answer is not as long as what was asked for", site, "GetObject")


def told_of(answer: Mapping[str, Any]) -> Checksum | None:
    """Return the checksum that a whole body comes with, if it can be compared with that here."""
    told = _told(answer) if answer.get("ChecksumType") in (None, _WHOLE) else iter(())
    return next(filter(comparable, told), None)


def wanted_of(answer: Mapping[str, Any], settings: S3Settings) -> Checksum | None:
    """Return what a whole body must come to: its checksum, or the MD5 that its ETag is.

    None where the store keeps no checksum that can be computed here, and nothing says that the
    ETag is one.
    """
    etag = str(answer.get("ETag", "")).strip('"')
    md5 = settings.etags_are_md5 and _is_md5(answer, etag)
    return told_of(answer) or (md5_of(etag) if md5 else None)


def stored_in(
    answer: Mapping[str, Any], key: str, size: int, checksum: str, site: SiteName
) -> ObjectVersion:
    """Read the answer to a put: what now stands at ``key``."""
    etag = etag_of(answer, site, "PutObject")
    if answer.get("ChecksumSHA256", checksum) != checksum:
        odd("the store answers with another checksum than it was told", site, "PutObject")
    return ObjectVersion(key, size, etag, version_of(answer))


def about_parameters(about: About, site: SiteName) -> dict[str, Any]:
    """Return the parameters that say what stands beside the bytes. Refuses what would be lost."""
    told: dict[str, Any] = {}
    for name, value in about.headers.items():
        parameter = _BY_LOWER.get(name.lower())
        if parameter is None:
            raise BadObject("a header has no place in the store", site=site, header=name)
        if parameter == "Expires" and not _is_date(value):
            raise BadObject("the Expires header is not a date", site=site)
        told[parameter] = value
    if about.metadata:
        if not all((name + value).isascii() for name, value in about.metadata.items()):
            raise BadObject("user metadata is not ASCII, which S3 cannot keep", site=site)
        told["Metadata"] = dict(about.metadata)
    if about.tags:
        told["Tagging"] = urlencode(about.tags)
    if about.storage_class != "STANDARD":
        told["StorageClass"] = about.storage_class
    return told


def odd(message: str, site: SiteName, operation: str) -> NoReturn:
    """Raise what an answer is that no store in good health gives."""
    raise Transient(message, site=site, operation=operation)


def _archived(answer: Mapping[str, Any]) -> bool:
    restored = 'ongoing-request="false"' in answer.get("Restore", "")
    away = (
        answer.get("StorageClass") in ARCHIVES or answer.get("ArchiveStatus") in _ARCHIVE_STATUSES
    )
    return away and not restored


def _checksum(answer: Mapping[str, Any], etag: str) -> Checksum | None:
    """Return a checksum of the whole object; one of checksums of parts says nothing elsewhere."""
    kind = answer.get("ChecksumType")
    if kind not in (None, _WHOLE) or (kind is None and "-" in etag):
        return None
    return next(_told(answer), None)


def _told(answer: Mapping[str, Any]) -> Iterator[Checksum]:
    for algorithm in _STRONGEST_FIRST:
        value = answer.get(f"Checksum{algorithm}")
        if value and "-" not in value:
            yield Checksum(algorithm, value)


def _is_md5(answer: Mapping[str, Any], etag: str) -> bool:
    plain = answer.get("ServerSideEncryption") in (None, "AES256")
    ours = "SSECustomerAlgorithm" not in answer
    return plain and ours and _MD5.fullmatch(etag) is not None


def _is_date(value: str) -> bool:
    try:
        parse_to_aware_datetime(value)
    except (ValueError, OverflowError):
        return False
    return True


def _headers(answer: Mapping[str, Any]) -> dict[str, str]:
    read = {name: answer.get(parameter) for name, parameter in HEADERS.items()}
    read["Expires"] = answer.get("ExpiresString")
    return {name: value for name, value in read.items() if isinstance(value, str) and value}


_BY_LOWER: Final = {name.lower(): parameter for name, parameter in HEADERS.items()}
