"""Answers S3 requests from a shelf: who asks for what, and what is kept of a body.

A put's checksum and MD5 are checked if the client tells them, and a checksum is kept in any case;
its ETag is the MD5 if that was told, or else a word that nobody takes for an MD5. Signatures are
not looked at: this store is for measurements on loopback, and holds invented people.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Final
from xml.etree import ElementTree as ET

from bench.server import checksums, documents
from bench.server.shelf import Condition, Kept, Piece, Refusal, Shelf
from bench.server.wire import Answer, Request, Wire

_BESIDE: Final = ("content-type", "content-encoding", "cache-control", "content-disposition")
_MD5: Final = "content-md5"
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class Desk:
    """Answers the requests of one connection after the other; may be used from threads."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def answer(self, request: Request, wire: Wire) -> Answer:
        """Do what ``request`` asks, its body read to the end. Raises ``Refusal``."""
        if not request.bucket:
            return documents.buckets(self._shelf.names())
        table = self._object_table() if request.key else self._bucket_table()
        for (method, sub), act in table.items():
            if request.method == method and (sub is None or sub in request.query):
                return act(request, wire)
        raise Refusal(501, "NotImplemented")

    def _bucket_table(self) -> Mapping[tuple[str, str | None], Callable[[Request, Wire], Answer]]:
        return {
            ("GET", "location"): self._location,
            ("GET", "versioning"): lambda *_: documents.document("VersioningConfiguration", " "),
            ("GET", "encryption"): self._no_encryption,
            ("GET", "uploads"): lambda request, _: documents.uploads(request),
            ("GET", None): lambda request, _: documents.listing(self._shelf, request),
            ("HEAD", None): self._look_at_bucket,
            ("PUT", None): self._make,
            ("POST", "delete"): self._delete_many,
            ("DELETE", None): self._drop,
        }

    def _object_table(self) -> Mapping[tuple[str, str | None], Callable[[Request, Wire], Answer]]:
        return {
            ("GET", "tagging"): lambda *_: documents.document("Tagging", "<TagSet></TagSet>"),
            ("GET", None): self._get,
            ("HEAD", None): self._get,
            ("PUT", "partNumber"): self._put_part,
            ("PUT", None): self._put,
            ("POST", "uploads"): self._begin,
            ("POST", "uploadId"): self._end,
            ("DELETE", "uploadId"): self._abort,
            ("DELETE", None): self._delete,
        }

    # Buckets.

    def _location(self, request: Request, _: Wire) -> Answer:
        location = self._shelf.bucket(request.bucket).location
        return documents.document("LocationConstraint", "" if location == "us-east-1" else location)

    def _no_encryption(self, request: Request, _: Wire) -> Answer:
        raise Refusal(404, "ServerSideEncryptionConfigurationNotFoundError")

    def _look_at_bucket(self, request: Request, _: Wire) -> Answer:
        return Answer(headers={"x-amz-bucket-region": self._shelf.bucket(request.bucket).location})

    def _make(self, request: Request, wire: Wire) -> Answer:
        told = re.search(rb"<LocationConstraint>([^<]+)<", wire.text(request))
        location = told.group(1).decode("ascii") if told else "us-east-1"
        self._shelf.make(request.bucket, location)
        return Answer(headers={"Location": f"/{request.bucket}"})

    def _drop(self, request: Request, _: Wire) -> Answer:
        self._shelf.drop(request.bucket)
        return Answer(status=204, headers={})

    def _delete_many(self, request: Request, wire: Wire) -> Answer:
        tree = ET.fromstring(wire.text(request))  # noqa: S314 - our own clients
        keys = [one.text or "" for one in tree.iter() if one.tag.rpartition("}")[2] == "Key"]
        for key in keys:
            self._shelf.delete(request.bucket, key)
        return documents.deleted(keys)

    # Objects.

    def _get(self, request: Request, _: Wire) -> Answer:
        kept = self._shelf.get(request.bucket, request.key)
        asked = request.headers
        if "if-match" in asked and asked["if-match"].strip('"') != kept.etag:
            raise Refusal(412, "PreconditionFailed")
        if asked.get("if-none-match", "").strip('"') == kept.etag:
            return Answer(status=304, headers={"ETag": f'"{kept.etag}"'})
        headers = {
            "ETag": f'"{kept.etag}"',
            "Last-Modified": formatdate(kept.modified_s, usegmt=True),
            "Accept-Ranges": "bytes",
            **kept.beside,
            **(kept.checksum if asked.get("x-amz-checksum-mode") == "ENABLED" else {}),
        }
        return _ranged(kept, headers, asked.get("range"))

    def _put(self, request: Request, wire: Wire) -> Answer:
        if "x-amz-copy-source" in request.headers:
            raise Refusal(501, "NotImplemented")
        kept = self._receive(request, wire)
        self._shelf.put(request.bucket, request.key, kept, _condition(request.headers))
        return Answer(headers={"ETag": f'"{kept.etag}"', **kept.checksum})

    def _put_part(self, request: Request, wire: Wire) -> Answer:
        upload = self._shelf.upload(request.bucket, request.query["uploadId"])
        kept = self._receive(request, wire)
        upload.parts[int(request.query["partNumber"])] = (kept.pieces[0], kept.etag)
        return Answer(headers={"ETag": f'"{kept.etag}"', **kept.checksum})

    def _begin(self, request: Request, wire: Wire) -> Answer:
        wire.text(request)
        name = self._shelf.begin(request.bucket, request.key, _beside(request.headers))
        return documents.began(request, name)

    def _end(self, request: Request, wire: Wire) -> Answer:
        tree = ET.fromstring(wire.text(request))  # noqa: S314 - our own clients
        numbers = [
            int(one.text or "0")
            for one in tree.iter()
            if one.tag.rpartition("}")[2] == "PartNumber"
        ]
        condition = _condition(request.headers)
        kept = self._shelf.end(request.bucket, request.query["uploadId"], numbers, condition)
        return documents.ended(request, kept)

    def _abort(self, request: Request, _: Wire) -> Answer:
        self._shelf.bucket(request.bucket).uploads.pop(request.query["uploadId"], None)
        return Answer(status=204, headers={})

    def _delete(self, request: Request, _: Wire) -> Answer:
        self._shelf.delete(request.bucket, request.key)
        return Answer(status=204, headers={})

    def _receive(self, request: Request, wire: Wire) -> Kept:
        """Keep a body in a file. Raises ``Refusal`` for a wrong digest."""
        path = self._shelf.new_file()
        sums = checksums.Sums(request.headers)
        md5 = hashlib.md5(usedforsecurity=False) if _MD5 in request.headers else None
        seers = [sums.update] if md5 is None else [sums.update, md5.update]
        with path.open("wb") as sink:
            size = wire.receive(request, sink.write, *seers)
        etag = f"{secrets.token_hex(16)}-1" if md5 is None else md5.hexdigest()
        right = md5 is None or base64.b64encode(md5.digest()).decode() == request.headers[_MD5]
        if not (right and sums.right):
            path.unlink()
            raise Refusal(400, "BadDigest")
        beside = _beside(request.headers)
        return Kept(pieces=(Piece(path, size),), etag=etag, beside=beside, checksum=sums.headers)


def _ranged(kept: Kept, headers: Mapping[str, str], asked: str | None) -> Answer:
    found = _RANGE.fullmatch(asked or "")
    if found is None or kept.size == 0:
        return Answer(headers=headers, pieces=kept.pieces, stop=kept.size)
    first, last = found.groups()
    start = int(first) if first else max(0, kept.size - int(last))
    stop = min(int(last) + 1, kept.size) if first and last else kept.size
    if start >= kept.size:
        raise Refusal(416, "InvalidRange")
    told = {
        **{name: value for name, value in headers.items() if not name.startswith("x-amz-checksum")},
        "Content-Range": f"bytes {start}-{stop - 1}/{kept.size}",
    }
    return Answer(status=206, headers=told, pieces=kept.pieces, start=start, stop=stop)


def _beside(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if (name in _BESIDE or name.startswith("x-amz-meta-")) and value != "aws-chunked"
    }


def _condition(headers: Mapping[str, str]) -> Condition:
    match = headers.get("if-match")
    return Condition(
        match=match.strip('"') if match is not None else None,
        none_match=headers.get("if-none-match"),
    )
