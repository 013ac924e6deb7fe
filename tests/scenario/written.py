"""How people and posts are written in this made-up world, and how a reader reads them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.formats.codec import Codec
from repatria.batch import LINE
from repatria.dataset import Dataset, Format

Person = tuple[str, str | None, int]
"""A user, the country, the version of the record."""


def parquet_of(rows: Sequence[Person]) -> bytes:
    """Write profiles."""
    table = pa.table(
        {
            "user_id": pa.array([user for user, _, _ in rows], pa.string()),
            "country": pa.array([country for _, country, _ in rows], pa.string()),
            "version": pa.array([version for _, _, version in rows], pa.int64()),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def plain_lines(rows: Iterable[Mapping[str, object]]) -> bytes:
    """Write JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def lines_of(rows: Sequence[tuple[int, str]]) -> bytes:
    """Write posts as gzipped JSON lines: (post, user)."""
    told = plain_lines({"post_id": post, "user_id": user, "n": 1.0} for post, user in rows)
    return gzip.compress(told, mtime=0)


def notes_of(rows: Sequence[tuple[str, str | None]], padding: int = 0) -> bytes:
    """Write notes as plain JSON lines: (note, country); its user is named like the note."""
    return plain_lines(
        {"note_id": note, "user_id": f"user of {note}", "country": country, "text": "x" * padding}
        for note, country in rows
    )


def names_in(
    dataset: Dataset, body: Any, codecs: Mapping[Format, Codec], key: str
) -> Iterable[str]:
    """Read a parcel as an application would: what identifies each record."""
    rows = codecs[dataset.format].decode(dataset, body, key)
    if dataset.carried:
        name = dataset.identity[0].name
        lines: list[Any] = rows.column(LINE).to_pylist()
        return [str(json.loads(line)[name]) for line in lines]
    users = rows.column("user_id").to_pylist()
    return [f"{u}@{v}" for u, v in zip(users, rows.column("version").to_pylist(), strict=True)]
