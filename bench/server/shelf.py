"""What the server holds: buckets of objects, each a list of files, indexed in memory.

An object is never copied: a multipart upload becomes the list of its parts' files. Conditions
are judged under the one lock in which an object takes its place, so that of two conditional puts
at one key exactly one wins.
"""

from __future__ import annotations

import itertools
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.server import checksums

ANYTHING: Final = "*"


class Refusal(Exception):
    """A request that is answered with an S3 error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that holds some bytes of an object, from its beginning to its end."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One object. ``beside`` is what stands in headers: content type, user metadata.

    ``checksum`` stands there, too, where it is asked for.
    """

    pieces: tuple[Piece, ...]
    etag: str
    beside: Mapping[str, str] = field(default_factory=dict)
    checksum: Mapping[str, str] = field(default_factory=dict)
    modified_s: float = field(default_factory=time.time)

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(piece.size for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Condition:
    """What must stand at a key for a put to be let in: an ETag, nothing at all, or whatever."""

    match: str | None = None
    none_match: str | None = None

    def judge(self, stands: Kept | None) -> None:
        """Raise ``Refusal`` unless the condition holds."""
        if self.none_match is not None and stands is not None:
            raise Refusal(412, "PreconditionFailed")
        if self.match is None:
            return
        if stands is None:
            raise Refusal(404, "NoSuchKey")
        if self.match not in (stands.etag, ANYTHING):
            raise Refusal(412, "PreconditionFailed")


@dataclass(slots=True)
class Upload:
    """A multipart upload under way."""

    key: str
    beside: Mapping[str, str]
    parts: dict[int, tuple[Piece, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Bucket:
    """One bucket."""

    location: str = "us-east-1"
    objects: dict[str, Kept] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)


class Shelf:
    """All buckets; may be used from several threads. Files that it makes lie in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buckets: dict[str, Bucket] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def load(self, index: Path) -> None:
        """Hold the objects that ``index`` lists, as they lie beside it; they are only read."""
        said = json.loads(index.read_text("utf-8"))
        bucket = self._buckets.setdefault(said["bucket"], Bucket())
        for one in said["objects"]:
            piece = Piece(index.parent / one["file"], one["size"])
            bucket.objects[one["key"]] = Kept(
                pieces=(piece,), etag=one["etag"], checksum=checksums.of_files([piece.path])
            )

    def new_file(self) -> Path:
        """Name a file that nobody has."""
        return self._folder / f"{next(self._numbers):08d}"

    def make(self, name: str, location: str) -> None:
        """Make a bucket, or leave the one that is there."""
        with self._lock:
            self._buckets.setdefault(name, Bucket(location))

    def drop(self, name: str) -> None:
        """Remove an empty bucket."""
        with self._lock:
            if self.bucket(name).objects:
                raise Refusal(409, "BucketNotEmpty")
            del self._buckets[name]

    def names(self) -> list[str]:
        """Return the buckets' names."""
        return sorted(self._buckets)

    def bucket(self, name: str) -> Bucket:
        """Return a bucket. Raises ``Refusal``."""
        if (found := self._buckets.get(name)) is None:
            raise Refusal(404, "NoSuchBucket")
        return found

    def get(self, bucket: str, key: str) -> Kept:
        """Return an object. Raises ``Refusal``."""
        if (found := self.bucket(bucket).objects.get(key)) is None:
            raise Refusal(404, "NoSuchKey")
        return found

    def put(self, bucket: str, key: str, kept: Kept, condition: Condition) -> None:
        """Let an object take its place. Raises ``Refusal``, and then its files are gone."""
        with self._lock:
            objects = self.bucket(bucket).objects
            stands = objects.get(key)
            try:
                condition.judge(stands)
            except Refusal:
                _forget(kept)
                raise
            objects[key] = kept
        if stands is not None:
            _forget(stands)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; none there is no error."""
        with self._lock:
            stands = self.bucket(bucket).objects.pop(key, None)
        if stands is not None:
            _forget(stands)

    def keys(self, bucket: str, prefix: str, after: str) -> Iterator[tuple[str, Kept]]:
        """Yield keys and objects under ``prefix``, past ``after``, in order of their bytes."""
        with self._lock:
            found = [
                item
                for item in self.bucket(bucket).objects.items()
                if item[0].startswith(prefix) and item[0].encode() > after.encode()
            ]
        yield from sorted(found, key=lambda item: item[0].encode())

    def begin(self, bucket: str, key: str, beside: Mapping[str, str]) -> str:
        """Begin a multipart upload and return its name."""
        name = secrets.token_hex(16)
        with self._lock:
            self.bucket(bucket).uploads[name] = Upload(key, beside)
        return name

    def upload(self, bucket: str, name: str) -> Upload:
        """Return an upload under way. Raises ``Refusal``."""
        if (found := self.bucket(bucket).uploads.get(name)) is None:
            raise Refusal(404, "NoSuchUpload")
        return found

    def end(self, bucket: str, name: str, numbers: list[int], condition: Condition) -> Kept:
        """Make an object of an upload's parts and return it."""
        upload = self.upload(bucket, name)
        if not set(numbers) <= set(upload.parts) or numbers != sorted(set(numbers)):
            raise Refusal(400, "InvalidPart")
        pieces = tuple(upload.parts[number][0] for number in numbers)
        etag = f"{secrets.token_hex(16)}-{len(pieces)}"
        checksum = checksums.of_files([piece.path for piece in pieces])
        kept = Kept(pieces=pieces, etag=etag, beside=upload.beside, checksum=checksum)
        self.put(bucket, upload.key, kept, condition)
        self.bucket(bucket).uploads.pop(name, None)
        return kept


def _forget(kept: Kept) -> None:
    for piece in kept.pieces:
        piece.path.unlink(missing_ok=True)
