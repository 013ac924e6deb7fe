"""Text objects in memory, and short ways to read them with a codec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from connectors.formats.codec import Codec
from repatria.batch import LINE, Batch
from repatria.dataset import ByCountry, Column, ColumnType, Compression, CsvShape, Dataset, Format
from repatria.names import DatasetName, SiteName, SliceId
from repatria.slice import Cut, Slice, Whole
from repatria.stored import ObjectVersion


@dataclass
class Text:
    """One object, its stream in chunks of one size; it counts what is read of it."""

    body: bytes
    chunk_bytes: int = 65_536
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.body)

    def read(self, start: int, stop: int) -> pa.Buffer:
        assert 0 <= start < stop <= self.size
        self.reads.append((start, stop))
        return pa.py_buffer(self.body[start:stop])

    @contextmanager
    def stream(self) -> Iterator[Iterator[bytes]]:
        starts = range(0, self.size, self.chunk_bytes)
        yield (self.body[start : start + self.chunk_bytes] for start in starts)


def dataset(
    kind: Format,
    *,
    compression: Compression = Compression.AUTO,
    shape: CsvShape | None = None,
    version: ColumnType = ColumnType.TIMESTAMP,
) -> Dataset:
    return Dataset(
        name=DatasetName("users"),
        prefix="users/",
        format=kind,
        identity=(Column("n", ColumnType.INT64),),
        user=Column("user"),
        residency=ByCountry("country"),
        version=Column("at", version),
        compression=compression,
        csv=shape or CsvShape(),
    )


def piece(body: bytes, relative: str = "a", cut: Cut | None = None) -> Slice:
    return Slice(
        id=SliceId("0" * 32),
        dataset=DatasetName("users"),
        site=SiteName("us-east"),
        object=ObjectVersion(f"users/{relative}", len(body), "etag"),
        relative=relative,
        label="users/a",
        cut=cut or Whole(),
    )


def read(
    codec: Codec,
    of: Dataset,
    text: Text | bytes,
    relative: str = "a",
    cut: Cut | None = None,
    after: int | None = None,
) -> list[Batch]:
    text = Text(text) if isinstance(text, bytes) else text
    return list(codec.batches(of, piece(text.body, relative, cut), text, after))


def lines(batches: Sequence[Batch]) -> list[bytes]:
    return [bytes(line or b"") for batch in batches for line in batch.rows.column(LINE).to_pylist()]


def positions(batches: Sequence[Batch]) -> list[int]:
    return [int(place) for batch in batches for place in batch.positions]


def column(batches: Sequence[Batch], name: str) -> list[object]:
    return [value for batch in batches for value in batch.rows.column(name).to_pylist()]


def refused(batches: Sequence[Batch]) -> list[tuple[int, str]]:
    return [
        (int(place), str(reason))
        for batch in batches
        for place, reason in zip(batch.refused.positions, batch.refused.reasons, strict=True)
    ]
