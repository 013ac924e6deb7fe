"""Slices: reproducible pieces of a dataset at a legacy site.

A slice is one object at one version, or a range of it. A *bundle* is a run of small
objects that travel in one stripe; each stays a slice of its own, so that its receipt
survives another bundling (docs/adr/0004).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from repatria.names import DatasetName, SiteName, SliceId
from repatria.stored import ObjectVersion


@dataclass(frozen=True, slots=True)
class Whole:
    """The object from its first byte to its last, in sequence; batches are cut inside."""


@dataclass(frozen=True, slots=True)
class RowGroups:
    """Row groups ``first`` up to, not including, ``stop`` of a Parquet object."""

    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The lines that *start* at byte ``start`` or later, and before byte ``stop``."""

    start: int
    stop: int


Cut = Whole | RowGroups | ByteRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A reproducible piece of a dataset.

    ``number`` counts the cuts of one object from 0. ``relative`` is the key without the
    store's and the dataset's prefixes. ``label`` is what messages call the slice: the key,
    or the id where keys are personal.
    """

    id: SliceId
    dataset: DatasetName
    site: SiteName
    object: ObjectVersion
    relative: str = field(repr=False)
    label: str
    cut: Cut = field(default_factory=Whole)
    number: int = 0

    @property
    def version(self) -> str:
        """The version of the source, as receipts name it."""
        return self.object.token

    @property
    def bytes(self) -> int:
        """Stored bytes that this slice stands for; the first cut by row groups stands for all."""
        if isinstance(self.cut, ByteRange):
            return self.cut.stop - self.cut.start
        return self.object.size if self.number == 0 else 0


def slice_id(
    key: bytes, dataset: DatasetName, site: SiteName, relative: str, number: int
) -> SliceId:
    """Name a cut of an object: HMAC-SHA256 over its length-prefixed parts, 32 digits of it.

    The bounds of the cut take no part: when an object changes, cut ``number`` of the new version
    answers for cut ``number`` of the old one, and replaces its parcels (docs/adr/0006).
    """
    told = bytearray(b"repatria slice 1")
    for part in (dataset, site, relative, str(number)):
        data = part.encode("utf-8", "surrogatepass")
        told += len(data).to_bytes(8, "big") + data
    return SliceId(hmac.digest(key, told, "sha256").hex()[:32])


def cut_text(cut: Cut) -> str:
    """Write a cut as plans and ledgers write it: ``whole``, ``rows 0 4`` or ``bytes 0 99``."""
    if isinstance(cut, Whole):
        return "whole"
    if isinstance(cut, RowGroups):
        return f"rows {cut.first} {cut.stop}"
    return f"bytes {cut.start} {cut.stop}"


def parse_cut(text: str) -> Cut:
    """Read what ``cut_text`` wrote."""
    kind, *numbers = text.split(" ")
    if kind == "whole":
        return Whole()
    first, stop = (int(number) for number in numbers)
    return RowGroups(first, stop) if kind == "rows" else ByteRange(first, stop)
