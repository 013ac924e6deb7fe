"""Datasets, objects and planting for the contracts of sources and targets."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from connectors.formats.codec import Codec
from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from connectors.formats.parquet import Parquet
from repatria.batch import LINE
from repatria.dataset import ByCountry, Column, Dataset, Format
from repatria.errors import Missing
from repatria.limits import Limits
from repatria.names import DatasetName
from repatria.ports.bucket import ABSENT, Bucket
from repatria.stored import About, ObjectVersion

SMALL = Limits(batch_bytes=64 * 1024, slice_bytes=1024 * 1024)


def dataset(format_: Format, name: str = "people", **more: Any) -> Dataset:
    return Dataset(
        name=DatasetName(name),
        prefix=f"{name}/",
        format=format_,
        identity=(Column("user"),),
        user=Column("user"),
        residency=ByCountry("country"),
        **more,
    )


def codecs(limits: Limits = SMALL) -> Mapping[Format, Codec]:
    return {
        Format.PARQUET: Parquet(limits),
        Format.JSONL: JsonLines(limits),
        Format.CSV: Csv(limits),
    }


def zstd(text: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(text)
    return sink.getvalue().to_pybytes()


JSON_TEXT = b"".join(
    b'{"user": "u%d", "country": "IE", "n": 1.0, "name": "Zo\xc3\xab"}\r\n' % n
    for n in range(3_000)
)
CSV_HEADER = b"user,country,about\r\n"
CSV_TEXT = b"".join(b'u%d,IE,"two\nlines, ""quoted"""\r\n' % n for n in range(3_000))
TEXTS: tuple[tuple[Format, str, bytes, bytes], ...] = tuple(
    (format_, name + ending, pack(header + text), text)
    for format_, name, header, text in (
        (Format.JSONL, "a.jsonl", b"", JSON_TEXT),
        (Format.CSV, "a.csv", CSV_HEADER, CSV_TEXT),
    )
    for ending, pack in (("", bytes), (".gz", gzip.compress), (".zst", zstd))
)
"""Format, name, stored bytes, and the text of the records."""


@dataclass(frozen=True, slots=True)
class Planted:
    """Somebody who writes to a bucket as applications do, whatever stands there."""

    bucket: Bucket
    root: str = ""

    def __call__(self, key: str, body: bytes, **beside: Any) -> ObjectVersion:
        whole = self.root + key
        told = About(sha256=hashlib.sha256(body).hexdigest(), **beside)
        try:
            stands = self.bucket.head(whole).object
        except Missing:
            return self.bucket.put(whole, body, told, ABSENT)
        return self.bucket.put(whole, body, told, stands)


Plants = Callable[..., ObjectVersion]


def lines(table: pa.Table) -> bytes:
    return b"".join(line for line in table[LINE].to_pylist() if line is not None)
