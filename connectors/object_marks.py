"""What is stored beside a parcel's bytes: what came with its source, and marks of our own.

The marks say which batch of which ledger a parcel is, so that an attempt whose receipt was lost
is known again. They name no key and no person. S3 gives 2 KB to all user metadata together: what
came is kept, and the marks make do with what is left, the least needed going first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from repatria.ports.records import Parcel
from repatria.stored import About, Found

METADATA_BYTES_MAX: Final = 2048
MARK: Final = "repatria-"
SHA256: Final = "repatria-sha256"
LEDGER: Final = "repatria-ledger"
SLICE: Final = "repatria-slice"
ORDINAL: Final = "repatria-ordinal"
VERSION: Final = "repatria-version"
ROWS: Final = "repatria-rows"

KEPT_HEADERS: Final = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "expires",
    }
)
"""A redirect is not kept: it would lead readers back to where the records came from."""

READY_CLASSES: Final = frozenset(
    {
        *("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"),
        *("REDUCED_REDUNDANCY", "GLACIER_IR"),
    }
)
"""Storage classes that can be read at once; from any other a parcel could not be read back."""


def about(parcel: Parcel, ledger: str, sha256: str) -> About:
    """Return what is stored beside the bytes of a parcel."""
    marks = marks_of(parcel, ledger, sha256)
    like = parcel.like
    if like is None:
        return About(sha256=sha256, metadata=marks)
    return About(
        sha256=sha256,
        headers=_headers(like.headers),
        metadata=beside(like.metadata, marks),
        tags=dict(like.tags or {}),
        storage_class=like.storage_class if like.storage_class in READY_CLASSES else "STANDARD",
    )


def marks_of(parcel: Parcel, ledger: str, sha256: str) -> dict[str, str]:
    """Return our marks, the most needed first."""
    return {
        SHA256: sha256,
        LEDGER: quote(ledger, safe=""),
        SLICE: parcel.piece.id,
        ORDINAL: str(parcel.ordinal),
        VERSION: quote(parcel.piece.version, safe=""),
        ROWS: str(parcel.rows.num_rows),
    }


def beside(theirs: Mapping[str, str], marks: Mapping[str, str]) -> dict[str, str]:
    """Put as many marks beside metadata as the store has room for; all that came stays.

    Marks of an earlier move are not what came: they would say what is no longer so.
    """
    kept = {name: text for name, text in theirs.items() if not name.lower().startswith(MARK)}
    room = METADATA_BYTES_MAX - sum(map(_bytes, kept.items()))
    for mark in marks.items():
        room -= _bytes(mark)
        if room < 0:
            break
        kept[mark[0]] = mark[1]
    return kept


def is_attempt(found: Found, parcel: Parcel, ledger: str) -> bool:
    """Say whether what stands there is our own attempt at the same batch."""
    marks = marks_of(parcel, ledger, "")
    return all(found.metadata.get(name) == marks[name] for name in (LEDGER, SLICE, ORDINAL))


def _headers(came: Mapping[str, str]) -> dict[str, str]:
    """Keep what describes the bytes; ``aws-chunked`` described how they were sent."""
    kept = {name: text for name, text in came.items() if name.lower() in KEPT_HEADERS}
    for name in [name for name in kept if name.lower() == "content-encoding"]:
        packings = [text.strip() for text in kept[name].split(",")]
        kept[name] = ", ".join(text for text in packings if text not in ("", "aws-chunked"))
        if not kept[name]:
            del kept[name]
    return kept


def _bytes(entry: tuple[str, str]) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in entry)
