"""Manifests: per dataset and region, the list of parcels that count; all that applications trust.

A manifest is a Parquet table with a row per parcel and its totals in the schema's metadata
(docs/formats/target.md). It is built from receipts alone, replaced by compare-and-swap, and left
alone where it would say the same again. Where keys are personal (law 9) they stand in it sealed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from repatria.digest import add
from repatria.errors import ForeignObject, Occupied, ReadBackMismatch
from repatria.names import DatasetName, RegionName, SiteName
from repatria.ports.bucket import ABSENT
from repatria.ports.ledger import Receipts
from repatria.ports.records import Manifests
from repatria.receipt import Line, Receipt
from repatria.stored import ObjectVersion

FORMAT: Final = 1
METADATA: Final = b"repatria.manifest"
_ROWS: Final = 10_000
_TRIES: Final = 3
_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    "key": pa.string(),
    "sealed_key": pa.binary(),
    "version": pa.string(),
    "etag": pa.string(),
    "rows": pa.int64(),
    "bytes": pa.int64(),
    "sha256": pa.string(),
    "digest": pa.string(),
    "slice": pa.string(),
    "ordinal": pa.int32(),
}
_NULLABLE: Final = frozenset({"key", "sealed_key", "version"})
SCHEMA: Final = pa.schema(
    [pa.field(name, kind, nullable=name in _NULLABLE) for name, kind in _COLUMNS.items()]
)


SealKey = Callable[[str], bytes]
"""Seals a key for the readers of a manifest; the same key always gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Published:
    """A manifest as it stands: what it sums up to."""

    dataset: DatasetName
    region: RegionName
    site: SiteName
    generation: int
    parcels: int
    rows: int
    bytes: int


@dataclass(slots=True)
class _Sums:
    parcels: int = 0
    rows: int = 0
    bytes: int = 0
    digest: str | None = None

    def add(self, line: Line) -> None:
        self.parcels += 1
        self.rows += line.rows
        self.bytes += line.object.size
        self.digest = line.digest if self.digest is None else add(self.digest, line.digest)


def publish(
    receipts: Receipts,
    manifests: Manifests,
    dataset: DatasetName,
    region: RegionName,
    seal: SealKey | None = None,
) -> Published:
    """Publish what the receipts say now; with ``seal`` no key stands in the clear.

    Raises ``ForeignObject`` if it cannot win the swap, or if what stands there was published from
    another ledger: two ledgers that take turns would each hide what the other moved.
    """
    for _ in range(_TRIES):
        # What stands is read first: whatever is committed after that shows in the receipts, and
        # whoever publishes after that makes this swap fail.
        held = manifests.held(dataset, region)
        before = _own(held, manifests, dataset, region)
        draft = _Draft(receipts, manifests, (dataset, region), seal)
        generation = int(str(before.get("generation", 0)))
        if held is None or held[0] != draft.body(generation):
            generation += 1
            try:
                manifests.publish(
                    dataset, region, draft.body(generation), held[1] if held else ABSENT
                )
            except Occupied:
                continue
            _read_back(manifests, draft, generation)
        return draft.published(generation)
    raise ForeignObject("somebody else keeps replacing a manifest", dataset=dataset, region=region)


def _read_back(manifests: Manifests, draft: _Draft, generation: int) -> None:
    """Raise ``ReadBackMismatch`` unless the store holds this manifest, or a later one."""
    held = manifests.held(*draft.of)
    if held is not None and held[0] == draft.body(generation):
        return
    if held is None or int(str(told(held[0]).get("generation", 0))) <= generation:
        raise ReadBackMismatch(
            "the store does not hold the manifest that was published",
            site=manifests.site,
            dataset=draft.of[0],
            region=draft.of[1],
        )


def refuse_stranger(manifests: Manifests, dataset: DatasetName, region: RegionName) -> None:
    """Raise ``ForeignObject`` if what stands at a manifest's key was not published from here."""
    _own(manifests.held(dataset, region), manifests, dataset, region)


def _own(
    held: tuple[bytes, ObjectVersion] | None,
    manifests: Manifests,
    dataset: DatasetName,
    region: RegionName,
) -> dict[str, str | int]:
    """Return what a manifest says of itself; nothing where none stands."""
    if held is None:
        return {}
    facts: dict[str, str | int] = {"site": manifests.site, "dataset": dataset, "region": region}
    try:
        before = told(held[0])
    except ForeignObject as error:
        raise ForeignObject(str(error.args[0]), **facts) from error
    if before.get("ledger") != manifests.ledger:
        raise ForeignObject("a manifest of another ledger stands there", **facts)
    return before


def agrees(
    receipts: Receipts,
    manifests: Manifests,
    dataset: DatasetName,
    region: RegionName,
    seal: SealKey | None = None,
) -> bool:
    """Say whether the manifest that stands lists exactly what the receipts say now.

    Where there is no parcel yet, no manifest is as good as an empty one.
    """
    draft = _Draft(receipts, manifests, (dataset, region), seal)
    held = manifests.held(dataset, region)
    if held is None:
        return draft.sums.parcels == 0
    try:
        generation = int(str(told(held[0]).get("generation", 0)))
    except ForeignObject:
        return False
    return held[0] == draft.body(generation)


class _Draft:
    """What a manifest should say now, but for its generation."""

    def __init__(
        self,
        receipts: Receipts,
        manifests: Manifests,
        of: tuple[DatasetName, RegionName],
        seal: SealKey | None,
    ) -> None:
        self.of, self.manifests = of, manifests
        lines = _lines(receipts.receipts(*of), of[1], manifests.site)
        self.table, self.sums = build(lines, seal)

    def body(self, generation: int) -> bytes:
        """Return the whole file. Equal drafts of one generation are equal bytes."""
        facts: dict[str, str | int] = {
            "format": FORMAT,
            "dataset": self.of[0],
            "region": self.of[1],
            "site": self.manifests.site,
            "ledger": self.manifests.ledger,
            "generation": generation,
            "parcels": self.sums.parcels,
            "rows": self.sums.rows,
            "bytes": self.sums.bytes,
            "digest": self.sums.digest or "",
            "content": hashlib.sha256(self.table).hexdigest(),
        }
        return sealed(self.table, facts)

    def published(self, generation: int) -> Published:
        """Tell what stands now."""
        sums = self.sums
        return Published(
            *self.of, self.manifests.site, generation, sums.parcels, sums.rows, sums.bytes
        )


def build(lines: Iterator[tuple[Receipt, Line]], seal: SealKey | None) -> tuple[bytes, _Sums]:
    """Write the table of parcels, in order of (slice, ordinal); a batch of rows at a time."""
    sums = _Sums()
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        while some := list(islice(lines, _ROWS)):
            for _, line in some:
                sums.add(line)
            writer.write_table(_table(some, seal))
    return sink.getvalue().to_pybytes(), sums


def _lines(
    receipts: Iterable[Receipt], region: RegionName, site: SiteName
) -> Iterator[tuple[Receipt, Line]]:
    for receipt in receipts:
        for line in receipt.lines:
            if line.region == region and line.site == site:
                yield receipt, line


def _table(lines: list[tuple[Receipt, Line]], seal: SealKey | None) -> pa.Table:
    rows = [
        {
            "key": line.object.key if seal is None else None,
            "sealed_key": seal(line.object.key) if seal is not None else None,
            "version": line.object.version,
            "etag": line.object.etag,
            "rows": line.rows,
            "bytes": line.object.size,
            "sha256": line.sha256,
            "digest": line.digest,
            "slice": receipt.batch.slice,
            "ordinal": receipt.batch.ordinal,
        }
        for receipt, line in lines
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def sealed(body: bytes, facts: dict[str, str | int]) -> bytes:
    """Write the table again with what it sums up to in its metadata."""
    rows = pq.read_table(pa.BufferReader(body))
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows.replace_schema_metadata({METADATA: text.encode()}),
        sink,
        compression="zstd",
        write_page_checksum=True,
    )
    return sink.getvalue().to_pybytes()


def told(body: bytes) -> dict[str, str | int]:
    """Read what a manifest says of itself. Raises ``ForeignObject`` for what is not one."""
    try:
        metadata = pq.read_schema(pa.BufferReader(body)).metadata or {}
        facts: dict[str, str | int] = json.loads(metadata[METADATA])
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise ForeignObject("what stands at the manifest's key is not a manifest") from error
    return facts
