"""Where a parcel stands at its region's home (docs/formats/target.md).

An application that read ``<prefix><key>`` reads ``<dataset>/region=IE/<key>``: a key arrives as it
is, however odd. Three things are added, and all of them are reserved, so that two parcels never
share a key: ``~part-NNNNN-MMMMM`` before the extension for every batch but the first of an
object, ``_repatria/<site>/`` before what comes from the backup, and ``_repatria/long/<digest>``
for what would be longer than a store takes. Sources ask ``reserved`` first.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from repatria.errors import ConfigRefused
from repatria.names import DatasetName, Ordinal, RegionName, SiteName
from repatria.slice import Slice

OURS = "_repatria/"
EXTENSION = re.compile(
    r"(?:\.(?:parquet|pq|jsonl|ndjson|json|csv|tsv|txt))?(?:\.(?:gz|gzip|zst|zstd))?\Z",
    re.IGNORECASE | re.ASCII,
)
PART = re.compile(r"~part-[0-9]{5,}-[0-9]{5,}\Z", re.ASCII)
TAKEN = frozenset({"long", "quarantine", "manifest.parquet"})
"""What stands under ``_repatria/`` already, so that no site may be called so."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one site is laid out.

    ``root`` is the store's own prefix, empty or ending in ``/``; ``backup`` names the legacy
    backup, whose objects may have the keys of the primary's. Every method returns a whole key.
    """

    root: str = ""
    backup: SiteName | None = None
    key_bytes: int = 1024

    def __post_init__(self) -> None:
        if self.backup is not None and (self.backup in TAKEN or "/" in self.backup):
            raise ConfigRefused("the backup site has a reserved name", site=self.backup)

    def prefix(self, dataset: DatasetName, region: RegionName) -> str:
        """Return what every key of this dataset and region starts with."""
        assert "/" not in dataset, "the name of a dataset is one folder"
        assert "/" not in region, "the name of a region is one folder"
        return f"{self.root}{dataset}/region={region}/"

    def parcel(self, region: RegionName, piece: Slice, ordinal: Ordinal) -> str:
        """Return the key of the parcel of one batch: injective over (piece, ordinal)."""
        relative = piece.relative
        assert reserved(relative) is None, "a source refuses reserved keys"
        stem, extension = split_extension(relative)
        part = part_of(piece.number, ordinal)
        front = self.prefix(piece.dataset, region)
        if piece.site == self.backup:
            front = f"{front}{OURS}{piece.site}/"
        key = f"{front}{stem}{part}{extension}"
        if _bytes(key) <= self.key_bytes:
            return key
        digest = hashlib.sha256(relative.encode("utf-8", "surrogatepass")).hexdigest()
        short = f"{front}{OURS}long/{digest}{part}{extension}"
        if _bytes(short) > self.key_bytes:
            raise ConfigRefused(
                "the prefixes of the store leave no room for keys", most=self.key_bytes
            )
        return short

    def manifest(self, dataset: DatasetName, region: RegionName) -> str:
        """Return the key of the list of parcels that count."""
        return f"{self.prefix(dataset, region)}{OURS}manifest.parquet"

    def quarantine(self, dataset: DatasetName, region: RegionName, name: str) -> str:
        """Return the key at which records that wait are kept, beside the parcels."""
        return f"{self.prefix(dataset, region)}{OURS}quarantine/{name}"


def reserved(relative: str) -> str | None:
    """Say why a source key may not be used, or None if it may; the key is not quoted."""
    if relative.startswith(OURS):
        return "the key begins with _repatria/, which is kept for Repatria's own objects"
    if PART.search(split_extension(relative)[0]):
        return "the key ends like a part of an object that Repatria cut (~part-…)"
    return None


def split_extension(relative: str) -> tuple[str, str]:
    """Split a key before its known extensions, of format and of compression; both may be empty."""
    found = EXTENSION.search(relative)
    assert found is not None, "the pattern also matches nothing"
    return relative[: found.start()], found.group()


def part_of(number: int, ordinal: Ordinal) -> str:
    """Name a batch within its object; the first one needs no name."""
    return "" if (number, ordinal) == (0, 0) else f"~part-{number:05d}-{ordinal:05d}"


def _bytes(key: str) -> int:
    return len(key.encode("utf-8", "surrogatepass"))
