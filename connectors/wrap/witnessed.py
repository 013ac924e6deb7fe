"""A source whose witness hears what is decoded before a decoder sees a byte of it.

What has killed its decoders is refused by the witness (``Poison``): as a slice that cannot be
read, and where it would be cut, as one that stays whole. Cutting reads nothing of an object that
is no larger than a slice, so that the witness of ten million small objects hears of none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.object_source import ObjectSource
from repatria.batch import Batch
from repatria.dataset import Dataset
from repatria.errors import Poison
from repatria.names import Ordinal, SiteName
from repatria.ports.records import Witness
from repatria.slice import Slice
from repatria.stored import Found, ObjectVersion


class Witnessed:
    """Same port in, same port out."""

    def __init__(self, inner: ObjectSource, witness: Witness, slice_bytes: int) -> None:
        self._inner = inner
        self._witness = witness
        self._slice_bytes = slice_bytes

    @property
    def site(self) -> SiteName:
        return self._inner.site

    def objects(self, dataset: Dataset) -> Iterator[Found]:
        return self._inner.objects(dataset)

    def relative(self, dataset: Dataset, found: ObjectVersion) -> str:
        return self._inner.relative(dataset, found)

    def look(self, found: ObjectVersion) -> Found:
        return self._inner.look(found)

    def cut(self, dataset: Dataset, found: Found) -> tuple[Slice, ...]:
        if found.object.size <= self._slice_bytes:
            return self._inner.cut(dataset, found)
        whole = self._inner.whole(dataset, found)
        try:
            with self._told(whole):
                return self._inner.cut(dataset, found)
        except Poison:
            return (whole,)

    def batches(self, dataset: Dataset, piece: Slice, after: Ordinal | None) -> Iterator[Batch]:
        with self._told(piece):
            yield from self._inner.batches(dataset, piece, after)

    @contextmanager
    def _told(self, piece: Slice) -> Iterator[None]:
        self._witness.begins(piece)
        try:
            yield
        finally:
            self._witness.ends(piece)
