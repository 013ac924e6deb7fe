"""Records of a bucket: objects under a prefix, cut and decoded by the codec of their format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

import pyarrow as pa

from connectors.body_digest import Comparison, wanted
from connectors.formats.codec import Codec
from repatria.batch import Batch
from repatria.dataset import Dataset, Format, KeyClass
from repatria.errors import BadObject, DigestDiffers, Garbled, StaleSlice
from repatria.layout import reserved
from repatria.legible import legible
from repatria.limits import MIB
from repatria.names import Ordinal, SiteName
from repatria.ports.bucket import Reads
from repatria.slice import Cut, Slice, Whole, slice_id
from repatria.stored import Checksum, Found, ObjectVersion

WHOLE_BYTES: Final = 32 * MIB
"""Objects up to this size are read whole where they are read to their end."""

_CHUNK_BYTES: Final = MIB


KEY_BYTES_MAX: Final = 1024


class BucketAccess:
    """One object of a bucket at one frozen version, as codecs see it.

    ``whole``: it is fetched with one request and held, for only a whole body has a digest, and
    only of what is held can the digest be compared before the first record is decoded. What is
    streamed is digested on its way, after a look that says with what it will be compared, and told
    of at its end; a piece has no digest.
    """

    def __init__(self, bucket: Reads, found: ObjectVersion, *, whole: bool = False) -> None:
        self._bucket = bucket
        self._found = found
        self._whole = whole
        self._held: pa.Buffer | None = None

    @property
    def size(self) -> int:
        return self._found.size

    def read(self, start: int, stop: int) -> pa.Buffer:
        if self._whole:
            return self._body().slice(start, stop - start)
        return self._bucket.read(self._found, start, stop)

    @contextmanager
    def stream(self) -> Iterator[Iterator[bytes]]:
        if self._whole:
            body = self._body()
            yield (_chunk(body, at) for at in range(0, body.size, _CHUNK_BYTES))
            return
        with self._bucket.stream(self._found) as chunks:
            yield self._compared(chunks)

    def _compared(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Compare a stream, once it has ended, with what a look says that it must come to.

        A stream that broke was carried on by pieces, so that nobody else has seen all of it. Where
        it differs, another look must say the same: one answer may be about anything.
        """
        comparison = Comparison(self._wanted(), self._bucket.site)
        for chunk in chunks:
            comparison.update(chunk)
            yield chunk
        if not (comparison.equal or comparison.comes_to(self._wanted())):
            comparison.end()

    def _wanted(self) -> Checksum | None:
        return wanted(looked_at(self._bucket, self._found))

    def _body(self) -> pa.Buffer:
        if self._held is None:
            self._held = self._bucket.read(self._found)
        return self._held


class ObjectSource:
    """A ``Source`` over any bucket.

    ``root`` is the store's own prefix; ``slice_key`` is the secret under which slices are named.
    Objects of up to ``whole_bytes`` that are one slice are fetched whole.
    """

    def __init__(
        self,
        bucket: Reads,
        root: str,
        codecs: Mapping[Format, Codec],
        slice_key: bytes,
        whole_bytes: int = WHOLE_BYTES,
    ) -> None:
        self._bucket = bucket
        self._site = bucket.site  # Asked for each of millions of objects.
        self._root = root
        self._codecs = codecs
        self._slice_key = slice_key
        self._whole_bytes = whole_bytes

    @property
    def site(self) -> SiteName:
        return self._site

    def objects(self, dataset: Dataset) -> Iterator[Found]:
        for found in self._bucket.list(self._root + dataset.prefix):
            if not is_folder(found.object):
                yield found

    def relative(self, dataset: Dataset, found: ObjectVersion) -> str:
        front = self._root + dataset.prefix
        assert found.key.startswith(front), "an object lies under its dataset's prefix"
        return found.key[len(front) :]

    def look(self, found: ObjectVersion) -> Found:
        seen = looked_at(self._bucket, found)
        return replace(seen, tags=self._bucket.tags(found.key, seen.object.version))

    def cut(self, dataset: Dataset, found: Found) -> tuple[Slice, ...]:
        relative = self.relative(dataset, found.object)
        access = BucketAccess(self._bucket, found.object)
        cuts: tuple[Cut, ...] = (Whole(),)
        # What cannot be cut stays whole, so that it is refused by name when it is read.
        if not found.archived and _unusable(found.object, relative) is None:
            with suppress(BadObject):
                cuts = self._codecs[dataset.format].cut(dataset, access, relative)
        return tuple(
            self._slice(dataset, found.object, cut, number) for number, cut in enumerate(cuts)
        )

    def whole(self, dataset: Dataset, found: Found) -> Slice:
        """Return the one slice of an object that is not cut."""
        return self._slice(dataset, found.object, Whole(), 0)

    def batches(self, dataset: Dataset, piece: Slice, after: Ordinal | None) -> Iterator[Batch]:
        assert piece.site == self.site, "a slice is read where it lies"
        if (why := _unusable(piece.object, piece.relative)) is not None:
            raise BadObject(why, object=piece.label)
        whole = isinstance(piece.cut, Whole) and piece.object.size <= self._whole_bytes
        access = BucketAccess(self._bucket, piece.object, whole=whole)
        batches = self._codecs[dataset.format].batches(dataset, piece, access, after)
        return _believed(batches, piece.label)

    def _slice(self, dataset: Dataset, found: ObjectVersion, cut: Cut, number: int) -> Slice:
        relative = self.relative(dataset, found)
        name = slice_id(self._slice_key, dataset.name, self.site, relative, number)
        shown = legible(relative) if dataset.keys is KeyClass.PLAIN else f"id {name}"
        return Slice(
            id=name,
            dataset=dataset.name,
            site=self.site,
            object=found,
            relative=relative,
            label=f"{shown} at {self.site}",
            cut=cut,
            number=number,
        )


def looked_at(bucket: Reads, found: ObjectVersion) -> Found:
    """Look at an object. Raises ``StaleSlice`` if it is not that version."""
    seen = bucket.head(found.key, found.version)
    if not _is(seen, found):
        # One answer may be about anything: an object counts as changed when two say so.
        seen = bucket.head(found.key, found.version)
    if not _is(seen, found):
        raise StaleSlice("the object is not the version that was listed", site=bucket.site)
    return seen


def _unusable(found: ObjectVersion, relative: str) -> str | None:
    """Say why an object's key may not be used, or None if it may."""
    if len(found.key.encode("utf-8", "surrogatepass")) > KEY_BYTES_MAX:
        return "the key is longer than any key of S3"
    return reserved(relative)


def _believed(batches: Iterator[Batch], label: str) -> Iterator[Batch]:
    """Yield batches; a digest that differs, however often it is read, spoils the slice alone."""
    try:
        yield from batches
    except Garbled as error:
        told = "its bytes are not those whose digest the store keeps"
        raise DigestDiffers(told, object=label) from error
    except MemoryError as error:
        raise BadObject("decoding needs more memory than there is", object=label) from error
    except RecursionError as error:
        raise BadObject("it is nested deeper than its decoder can follow", object=label) from error


def _chunk(body: pa.Buffer, at: int) -> bytes:
    return body.slice(at, min(_CHUNK_BYTES, body.size - at)).to_pybytes()


def _is(seen: Found, found: ObjectVersion) -> bool:
    return (seen.object.etag, seen.object.size) == (found.etag, found.size)


def is_folder(found: ObjectVersion) -> bool:
    """Say whether an object only stands for a folder, as consoles make them: it has no record."""
    return found.size == 0 and found.key.endswith("/")
