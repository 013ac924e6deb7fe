"""Slices as bytes: how spools and ledgers keep many of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from repatria.names import DatasetName, SiteName, SliceId
from repatria.slice import Slice, cut_text, parse_cut
from repatria.stored import ObjectVersion

CHUNK: Final = 1_000


def pack(slices: Sequence[Slice]) -> bytes:
    """Write slices: JSON, compressed."""
    return zlib.compress(json.dumps([_row(piece) for piece in slices]).encode("ascii"), 1)


def unpack(data: bytes) -> tuple[Slice, ...]:
    """Read what ``pack`` wrote."""
    return tuple(_slice(row) for row in json.loads(zlib.decompress(data)))


def chunks(slices: Iterable[Slice]) -> Iterator[bytes]:
    """Pack a stream of slices, a thousand at a time."""
    stream = iter(slices)
    while some := tuple(islice(stream, CHUNK)):
        yield pack(some)


def _row(piece: Slice) -> list[str | int | None]:
    held = piece.object
    return [
        piece.id,
        piece.dataset,
        piece.site,
        held.key,
        held.size,
        held.etag,
        held.version,
        piece.relative,
        piece.label,
        cut_text(piece.cut),
        piece.number,
    ]


def _slice(row: list[str | int | None]) -> Slice:
    id_, dataset, site, key, size, etag, version, relative, label, cut, number = row
    return Slice(
        id=SliceId(str(id_)),
        dataset=DatasetName(str(dataset)),
        site=SiteName(str(site)),
        object=ObjectVersion(
            str(key), int(size or 0), str(etag), None if version is None else str(version)
        ),
        relative=str(relative),
        label=str(label),
        cut=parse_cut(str(cut)),
        number=int(number or 0),
    )
