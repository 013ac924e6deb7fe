"""Journal entries: what the log of the past is told. Names, counts and digests, never a record.

Canonical JSON: keys sorted, no blanks, ASCII, integers and text only, so that an entry has
exactly one form and its digest is a name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from repatria.receipt import Receipt

Value = str | int | Sequence["Value"] | Mapping[str, "Value"]


def entry(kind: str, **facts: Value) -> bytes:
    """Write one entry of ``kind``."""
    told = {"v": 1, "type": kind, **facts}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")


def committed(receipt: Receipt) -> bytes:
    """Tell that a batch was committed: its balance, and each line's digests."""
    return entry(
        "batch.committed",
        slice=receipt.batch.slice,
        ordinal=receipt.batch.ordinal,
        version=receipt.batch.version,
        dataset=receipt.dataset,
        site=receipt.site,
        read=receipt.read,
        moved=receipt.moved,
        stayed=receipt.stayed,
        erased=receipt.erased,
        quarantined=receipt.quarantined,
        superseded=receipt.superseded,
        decisions=receipt.decisions,
        lines=[
            {
                "region": line.region,
                "site": line.site,
                "rows": line.rows,
                "bytes": line.object.size,
                "sha256": line.sha256,
                "digest": line.digest,
                "replaced": line.replaced,
            }
            for line in sorted(receipt.lines, key=lambda line: (line.region, line.site))
        ],
    )
