"""Lists a dataset at its legacy sites: freezes each object's version, settles the backup, cuts.

Listings stream: memory does not grow with the number of objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from repatria.dataset import BackupPolicy, Dataset
from repatria.names import SiteName
from repatria.pairing import Pair, pairs, same
from repatria.ports.records import Source
from repatria.slice import Slice
from repatria.stored import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The legacy sites."""

    primary: Source
    backup: Source | None = None

    @property
    def by_site(self) -> Mapping[SiteName, Source]:
        """Return each source under the name of its site."""
        return {source.site: source for source in (self.primary, self.backup) if source is not None}


@dataclass(slots=True)
class Listed:
    """What the listings held; counts only."""

    objects: int = 0
    bytes: int = 0
    primary_bytes: int = 0
    mirrored: int = 0  #: Backup objects that only repeat the primary's.
    contested: int = 0  #: Backup objects that do not.
    archived: int = 0
    archived_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The slices of one dataset, and what its listings held once they are read to the end."""

    sources: Sources
    dataset: Dataset
    listed: Listed = field(default_factory=Listed)

    def slices(self) -> Iterator[Slice]:
        """Yield the slices to read: in key order, the primary's before the backup's."""
        for source, found in self.objects():
            self.listed.objects += 1
            self.listed.bytes += found.object.size
            if source is self.sources.primary:
                self.listed.primary_bytes += found.object.size
            if found.archived:
                self.listed.archived += 1
                self.listed.archived_bytes += found.object.size
            yield from source.cut(self.dataset, found)

    def objects(self) -> Iterator[tuple[Source, Found]]:
        """Yield the objects that must be read, each with its site."""
        for pair in self.pairs():
            if pair.primary is not None:
                yield self.sources.primary, pair.primary
            if pair.backup is None:
                continue
            if self.contests(pair):
                assert self.sources.backup is not None, "a backup's object has a backup"
                self.listed.contested += 1
                yield self.sources.backup, pair.backup
            else:
                self.listed.mirrored += 1

    def pairs(self) -> Iterator[Pair]:
        """Walk both listings in step."""
        primary = self.sources.primary
        backup = self.sources.backup
        wanted = backup is not None and self.dataset.backup is BackupPolicy.RECONCILE
        return pairs(
            _listing(primary, self.dataset), _listing(backup if wanted else None, self.dataset)
        )

    def contests(self, pair: Pair) -> bool:
        """Say whether the backup's object must be reconciled record by record."""
        if pair.backup is None or pair.primary is None:
            return pair.backup is not None
        verdict = same(pair.primary, pair.backup)
        if verdict is None:
            assert self.sources.backup is not None, "a backup's object has a backup"
            mine = self.sources.primary.look(pair.primary.object)
            verdict = same(mine, self.sources.backup.look(pair.backup.object))
        return not verdict


def _listing(source: Source | None, dataset: Dataset) -> Iterator[tuple[str, Found]]:
    if source is None:
        return
    for found in source.objects(dataset):
        yield source.relative(dataset, found.object), found
