"""Parcels in a bucket: encoded, put on condition, looked at when refused, and read back.

A refused put says only that something else stands there, and that may be our own: the answer of
a put was lost, or a worker died between its put and its receipt. So we look before we judge. The
same bytes are ours and nothing is written. Another attempt at the same batch is told as such:
whether a receipt names it, and it must stay, is for the transfer to find out. All else is never
overwritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import pyarrow as pa

from connectors.formats.codec import Codec
from connectors.object_marks import SHA256, about, is_attempt
from repatria.dataset import Dataset, Format
from repatria.errors import (
    ForeignObject,
    Garbled,
    LeftOver,
    Missing,
    Occupied,
    ParcelGone,
    ReadBackMismatch,
    RepatriaError,
    StaleSlice,
    Transient,
)
from repatria.layout import Layout
from repatria.names import DatasetName, RegionName, SiteName
from repatria.ports.bucket import Absent, Reads, Writes
from repatria.ports.records import Arrived, Parcel
from repatria.stored import Found, ObjectVersion


class ReadsAndWrites(Reads, Writes, Protocol):
    """What a target needs of its bucket."""


class ObjectTarget:
    """A ``Target`` over any bucket. ``ledger`` names the ledger whose receipts count here."""

    def __init__(
        self,
        bucket: ReadsAndWrites,
        layout: Layout,
        codecs: Mapping[Format, Codec],
        ledger: str,
    ) -> None:
        self._bucket = bucket
        self._layout = layout
        self._codecs = codecs
        self._ledger = ledger

    @property
    def site(self) -> SiteName:
        return self._bucket.site

    def key(self, parcel: Parcel) -> str:
        return self._layout.parcel(parcel.region, parcel.piece, parcel.ordinal)

    def put(self, parcel: Parcel, replaces: ObjectVersion | Absent) -> Arrived:
        return self._put(parcel, self.key(parcel), replaces)

    def read(self, dataset: Dataset, arrived: ObjectVersion, sha256: str) -> pa.Table:
        body = self._standing(lambda: self._bucket.read(arrived))
        if _sha256(body) != sha256:
            raise self._not_sent()
        return self._codecs[dataset.format].decode(dataset, body, arrived.key)

    def read_back(self, dataset: Dataset, arrived: Arrived) -> pa.Table:
        body = self._standing(lambda: self._bucket.read_back(arrived.object, arrived.body))
        return self._codecs[dataset.format].decode(dataset, body, arrived.object.key)

    def _standing(self, read: Callable[[], pa.Buffer]) -> pa.Buffer:
        """Return what ``read`` does, of a parcel that was put."""
        try:
            return read()
        except Missing as error:
            raise ParcelGone("a parcel is gone", site=self.site) from error
        except StaleSlice as error:
            raise ReadBackMismatch(
                "a parcel no longer stands as it was put", site=self.site
            ) from error
        except Garbled as error:
            raise self._not_sent() from error

    def objects(self, dataset: DatasetName, region: RegionName) -> Iterator[Found]:
        ours = (
            self._layout.manifest(dataset, region),
            self._layout.quarantine(dataset, region, ""),
        )
        for found in self._bucket.list(self._layout.prefix(dataset, region)):
            if not found.object.key.startswith(ours):
                yield found

    def keep(self, parcel: Parcel, name: str, replaces: ObjectVersion | Absent) -> Arrived:
        key = self._layout.quarantine(parcel.dataset.name, parcel.region, name)
        return self._put(parcel, key, replaces)

    def _put(self, parcel: Parcel, key: str, replaces: ObjectVersion | Absent) -> Arrived:
        assert parcel.site == self.site, "a parcel is put where it was let through"
        codec = self._codecs[parcel.dataset.format]
        body = codec.encode(parcel.dataset, parcel.rows, parcel.preamble, key)
        sha256 = _sha256(body)
        try:
            beside = about(parcel, self._ledger, sha256)
            return Arrived(self._bucket.put(key, body, beside, replaces), sha256, body)
        except Occupied as refusal:
            stands = self._stands(key)
            if stands is None:
                named = isinstance(replaces, ObjectVersion)
                raise self._gone(parcel, named=named) from refusal
            if self._equal(stands, body, sha256):
                return Arrived(stands.object, sha256, body)
            if is_attempt(stands, parcel, self._ledger):
                told = "another attempt at a batch stands in its place"
                raise LeftOver(told, stands.object, site=self.site) from refusal
            raise self._foreign(parcel) from refusal

    def _stands(self, key: str) -> Found | None:
        try:
            return self._bucket.head(key)
        except Missing:
            return None

    def _equal(self, stands: Found, body: pa.Buffer, sha256: str) -> bool:
        """Compare what stands there with what we wanted to put: by its bytes, not by its word."""
        if stands.object.size != body.size or stands.metadata.get(SHA256, sha256) != sha256:
            return False
        try:
            self._bucket.read_back(stands.object, body)
        except (StaleSlice, Missing, Garbled):
            return False
        return True

    def _not_sent(self) -> ReadBackMismatch:
        return ReadBackMismatch("a parcel's bytes are not those sent", site=self.site)

    def _foreign(self, parcel: Parcel) -> ForeignObject:
        return ForeignObject(
            "something that is not this parcel stands in its place",
            site=self.site,
            object=parcel.piece.label,
        )

    def _gone(self, parcel: Parcel, *, named: bool) -> RepatriaError:
        if not named:
            return Transient("a parcel was refused and nothing stands there", site=self.site)
        return ForeignObject(
            "a parcel that a receipt names was removed", site=self.site, object=parcel.piece.label
        )


def _sha256(body: pa.Buffer) -> str:
    return hashlib.sha256(memoryview(body)[: body.size]).hexdigest()
