"""Reads a listing, page by page, and believes none of it unseen.

A listing has no checksum, and the SDK takes an empty answer for an empty prefix: a damaged page
would look like a mass deletion. So each page must say whose it is, how many keys it has and
whether more follow, twice over (by a flag, and by where the next page begins); keys must climb.
What one answer got wrong is ``Transient``; what the store does wrong by its nature is
``StoreRefused``.

Nor is an end believed: some servers end a listing with its first page, and one damaged word can
end any. Past an announced end the store is asked what follows the last key, until nothing does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn

from connectors.s3.errors import translated
from repatria.errors import StoreRefused, Transient
from repatria.names import SiteName
from repatria.stored import Found, ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ARCHIVES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes that must be restored before they can be read; GLACIER_IR need not."""

_OPERATION: Final = "ListObjectsV2"


class Listing:
    """One pass over the keys under ``prefix``, past ``after``."""

    def __init__(
        self,
        client: S3Client,
        site: SiteName,
        asked: dict[str, Any],
        after: str | None,
        *,
        trusting: bool = False,
    ) -> None:
        """``asked`` holds what each request says: bucket, prefix, page size, owner, payer.

        ``trusting`` takes the first announced end for the end: to see what the store announces.
        """
        self._client = client
        self._site = site
        self._asked = asked
        self._last = b"" if after is None else after.encode()
        self._start = {} if after is None else {"StartAfter": after}
        self._tokens: set[str] = set()
        self._trusting = trusting

    def __iter__(self) -> Iterator[Found]:
        where: dict[str, Any] = self._start
        told = False
        while True:
            with translated(self._site, _OPERATION):
                page: dict[str, Any] = dict(self._client.list_objects_v2(**self._asked, **where))
            self._check_page(page, where)
            for entry in page.get("Contents", ()):
                yield self._found(entry)
                told = True
            if page["IsTruncated"]:
                where = {"ContinuationToken": self._next(page)}
            elif told and not self._trusting:
                where, told = {"StartAfter": self._last.decode()}, False
            else:
                return

    def _check_page(self, page: dict[str, Any], where: dict[str, Any]) -> None:
        if any(name not in page for name in ("Name", "KeyCount", "IsTruncated")):
            self._odd("a page of the listing does not say what it is")
        if page["Name"] != self._asked["Bucket"]:
            self._odd("a page of the listing is of another bucket")
        if page.get("Prefix", "") != self._asked["Prefix"]:
            self._odd("a page of the listing is of another prefix")
        if page["KeyCount"] != len(page.get("Contents", ())):
            self._odd("a page of the listing does not have the keys that it counts")
        token = where.get("ContinuationToken")
        if token is not None and page.get("ContinuationToken", token) != token:
            self._odd("a page of the listing is not the one that was asked for")
        if not page["IsTruncated"] and page.get("NextContinuationToken"):
            self._odd("a page of the listing says that it is the last, and where the next begins")

    def _found(self, entry: dict[str, Any]) -> Found:
        if any(name not in entry for name in ("Key", "Size", "ETag")):
            self._odd("an entry of the listing lacks key, size or ETag")
        key = entry["Key"].encode()
        if not key.startswith(self._asked["Prefix"].encode()):
            self._wrong("a listing strays outside its prefix")
        if key <= self._last:
            self._wrong("a listing is not in order of its keys")
        self._last = key
        storage_class = entry.get("StorageClass", "STANDARD")
        return Found(
            object=ObjectVersion(entry["Key"], entry["Size"], entry["ETag"].strip('"')),
            modified_at=entry.get("LastModified"),
            archived=storage_class in ARCHIVES,
            storage_class=storage_class,
        )

    def _next(self, page: dict[str, Any]) -> str:
        token = page.get("NextContinuationToken")
        if not isinstance(token, str) or not token:
            self._odd("a page of the listing does not say where the next one begins")
        if token in self._tokens:
            self._wrong("a listing leads back to a page that was read")
        self._tokens.add(token)
        return token

    def _odd(self, message: str) -> NoReturn:
        raise Transient(message, site=self._site, operation=_OPERATION)

    def _wrong(self, message: str) -> NoReturn:
        raise StoreRefused(message, site=self._site, operation=_OPERATION)
