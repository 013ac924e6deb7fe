"""Records of a bucket: objects under a prefix, cut and decoded by the codec of their format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

import pyarrow as pa

from connectors.formats.codec import Codec
from repatria.batch import Batch
from repatria.dataset import Dataset, Format, KeyClass
from repatria.errors import BadObject, StaleSlice
from repatria.layout import reserved
from repatria.names import Ordinal, SiteName
from repatria.ports.bucket import Reads
from repatria.slice import Cut, Slice, Whole, slice_id
from repatria.stored import Found, ObjectVersion


class BucketAccess:
    """One object of a bucket at one frozen version, as codecs see it."""

    def __init__(self, bucket: Reads, found: ObjectVersion) -> None:
        self._bucket = bucket
        self._found = found

    @property
    def size(self) -> int:
        return self._found.size

    def read(self, start: int, stop: int) -> pa.Buffer:
        return self._bucket.read(self._found, start, stop)

    def stream(self) -> AbstractContextManager[Iterator[bytes]]:
        return self._bucket.stream(self._found)


class ObjectSource:
    """A ``Source`` over any bucket.

    ``root`` is the store's own prefix; ``slice_key`` is the secret under which slices are named.
    """

    def __init__(
        self, bucket: Reads, root: str, codecs: Mapping[Format, Codec], slice_key: bytes
    ) -> None:
        self._bucket = bucket
        self._site = bucket.site  # Asked for each of millions of objects.
        self._root = root
        self._codecs = codecs
        self._slice_key = slice_key

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
        seen = self._bucket.head(found.key, found.version)
        if (seen.object.etag, seen.object.size) != (found.etag, found.size):
            raise StaleSlice("the object is not the version that was listed", site=self.site)
        return replace(seen, tags=self._bucket.tags(found.key, seen.object.version))

    def cut(self, dataset: Dataset, found: Found) -> tuple[Slice, ...]:
        relative = self.relative(dataset, found.object)
        access = BucketAccess(self._bucket, found.object)
        cuts: tuple[Cut, ...] = (Whole(),)
        # What cannot be cut stays whole, so that it is refused by name when it is read.
        if not found.archived and reserved(relative) is None:
            with suppress(BadObject):
                cuts = self._codecs[dataset.format].cut(dataset, access, relative)
        return tuple(
            self._slice(dataset, found.object, cut, number) for number, cut in enumerate(cuts)
        )

    def batches(self, dataset: Dataset, piece: Slice, after: Ordinal | None) -> Iterator[Batch]:
        assert piece.site == self.site, "a slice is read where it lies"
        if (why := reserved(piece.relative)) is not None:
            raise BadObject(why, object=piece.label)
        access = BucketAccess(self._bucket, piece.object)
        return self._codecs[dataset.format].batches(dataset, piece, access, after)

    def _slice(self, dataset: Dataset, found: ObjectVersion, cut: Cut, number: int) -> Slice:
        relative = self.relative(dataset, found)
        name = slice_id(self._slice_key, dataset.name, self.site, relative, number)
        shown = relative if dataset.keys is KeyClass.PLAIN else f"id {name}"
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


def is_folder(found: ObjectVersion) -> bool:
    """Say whether an object only stands for a folder, as consoles make them: it has no record."""
    return found.size == 0 and found.key.endswith("/")
