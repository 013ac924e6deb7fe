"""A source whose store does not refuse to read another version: each batch is looked at again.

Where ``If-Match`` is honoured, one answer is of one version, and who overwrites the object while
it is read does no harm. Where it is not, the body may change under the reader. So a batch counts
only if its object is, after the last byte of it was read, what the plan says: one look for each
batch, which is the slower and the safer way. The same holds for a cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from repatria.batch import Batch
from repatria.dataset import Dataset
from repatria.names import Ordinal, SiteName
from repatria.ports.records import Source
from repatria.slice import Slice
from repatria.stored import Found, ObjectVersion


class Rechecked:
    """Same port in, same port out."""

    def __init__(self, inner: Source) -> None:
        self._inner = inner

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
        cuts = self._inner.cut(dataset, found)
        if len(cuts) > 1:
            self._inner.look(found.object)
        return cuts

    def batches(self, dataset: Dataset, piece: Slice, after: Ordinal | None) -> Iterator[Batch]:
        """Raise ``StaleSlice`` before a batch whose object is another version by now."""
        for batch in self._inner.batches(dataset, piece, after):
            self._inner.look(piece.object)
            yield batch
