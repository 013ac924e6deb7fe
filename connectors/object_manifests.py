"""Manifests in a bucket, each at its reserved key."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final, Protocol

from repatria.errors import Missing, StaleSlice, Transient
from repatria.layout import Layout
from repatria.names import DatasetName, RegionName, SiteName
from repatria.ports.bucket import Absent, Reads, Writes
from repatria.stored import About, ObjectVersion

_LOOKS: Final = 3


class _Shelf(Reads, Writes, Protocol):
    """A bucket that can be read and written."""


class ObjectManifests:
    """The manifests of one site, for the receipts of one ledger."""

    def __init__(self, bucket: _Shelf, layout: Layout, ledger: str) -> None:
        self._bucket = bucket
        self._layout = layout
        self.ledger = ledger

    @property
    def site(self) -> SiteName:
        return self._bucket.site

    def held(self, dataset: DatasetName, region: RegionName) -> tuple[bytes, ObjectVersion] | None:
        key = self._layout.manifest(dataset, region)
        for _ in range(_LOOKS):
            try:
                found = self._bucket.head(key).object
            except Missing:
                return None
            # Somebody may publish between the look and the read: then look again.
            with suppress(StaleSlice, Missing):
                return self._bucket.read(found).to_pybytes(), found
        raise Transient("a manifest keeps changing while it is read", site=self.site)

    def publish(
        self,
        dataset: DatasetName,
        region: RegionName,
        body: bytes,
        replaces: ObjectVersion | Absent,
    ) -> ObjectVersion:
        about = About(
            sha256=hashlib.sha256(body).hexdigest(),
            headers={"Content-Type": "application/vnd.apache.parquet"},
        )
        return self._bucket.put(self._layout.manifest(dataset, region), body, about, replaces)
