"""From receipts to rows and back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from connectors.sql import positions
from connectors.sql.seal import Seal
from connectors.sql.store import pages
from connectors.sql.tables import lines, waiting
from repatria.batch import Reason
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.receipt import BatchName, Line, Receipt, Waiting
from repatria.stored import ObjectVersion


def load(connection: Connection, seal: Seal, accounts: Sequence[Row[Any]]) -> list[Receipt]:
    """Return the whole receipts of these accounts, in their order."""
    moved: dict[int, list[Line]] = defaultdict(list)
    left: dict[int, list[Waiting]] = defaultdict(list)
    for page in pages(accounts):
        ids = [row.id for row in page]
        query = select(lines).where(lines.c.batch.in_(ids)).order_by(lines.c.batch, lines.c.place)
        for row in connection.execute(query):
            moved[row.batch].append(_line(seal, row))
        asked = select(waiting).where(waiting.c.batch.in_(ids))
        for row in connection.execute(asked.order_by(waiting.c.batch, waiting.c.place)):
            left[row.batch].append(_waiting(seal, row))
    return [_receipt(row, left[row.id], moved[row.id]) for row in accounts]


def account_row(receipt: Receipt) -> dict[str, object]:
    """Return the columns of an account, its marks left out."""
    return {
        "slice": receipt.batch.slice,
        "ordinal": receipt.batch.ordinal,
        "version": receipt.batch.version,
        "dataset": receipt.dataset,
        "site": receipt.site,
        "label": receipt.label,
        "last": receipt.last,
        "read": receipt.read,
        "census": json.dumps(dict(receipt.census), separators=(",", ":")),
        "erased": receipt.erased,
        "superseded": receipt.superseded,
        "quarantined": receipt.quarantined,
        "decisions": receipt.decisions,
        "bytes_read": receipt.bytes_read,
    }


def line_row(seal: Seal, line: Line) -> dict[str, object]:
    """Return the columns of a line, its batch and place left out; the key is sealed."""
    return {
        "region": line.region,
        "site": line.site,
        "rows": line.rows,
        "key": seal.seal(_encoded(line.object.key)),
        "size": line.object.size,
        "etag": line.object.etag,
        "version": line.object.version,
        "sha256": line.sha256,
        "digest": line.digest,
        "replaced": line.replaced,
        "merkle": line.merkle,
    }


def waiting_row(seal: Seal, entry: Waiting) -> dict[str, object]:
    """Return the columns of an entry of the quarantine, its batch and verdict left out."""
    kept = entry.kept
    return {
        "reason": entry.reason.value,
        "region": entry.region or "",
        "rows": entry.rows,
        "positions": positions.pack(entry.positions),
        "kept_site": entry.site,
        "kept_key": None if kept is None else seal.seal(_encoded(kept.key)),
        "kept_size": None if kept is None else kept.size,
        "kept_etag": None if kept is None else kept.etag,
        "kept_version": None if kept is None else kept.version,
    }


def kept(seal: Seal, row: Row[Any]) -> ObjectVersion | None:
    """Return the object that keeps the records of an entry, if there is one."""
    if row.kept_key is None:
        return None
    key = _decoded(seal.open(row.kept_key))
    return ObjectVersion(key, row.kept_size, row.kept_etag, row.kept_version)


def _line(seal: Seal, row: Row[Any]) -> Line:
    return Line(
        region=RegionName(row.region),
        site=SiteName(row.site),
        rows=row.rows,
        object=ObjectVersion(_decoded(seal.open(row.key)), row.size, row.etag, row.version),
        sha256=row.sha256,
        digest=row.digest,
        replaced=row.replaced,
        merkle=row.merkle,
    )


def _waiting(seal: Seal, row: Row[Any]) -> Waiting:
    return Waiting(
        reason=Reason(row.reason),
        region=RegionName(row.region) if row.region else None,
        rows=row.rows,
        positions=positions.unpack(row.positions),
        site=SiteName(row.kept_site) if row.kept_site is not None else None,
        kept=kept(seal, row),
    )


def _receipt(row: Row[Any], left: Sequence[Waiting], moved: Sequence[Line]) -> Receipt:
    return Receipt(
        batch=BatchName(SliceId(row.slice), row.ordinal, row.version),
        dataset=DatasetName(row.dataset),
        site=SiteName(row.site),
        last=row.last,
        read=row.read,
        census=json.loads(row.census),
        erased=row.erased,
        superseded=row.superseded,
        waiting=tuple(left),
        lines=tuple(moved),
        decisions=row.decisions,
        bytes_read=row.bytes_read,
        label=row.label,
    )


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _decoded(key: bytes) -> str:
    return key.decode("utf-8", "surrogatepass")
