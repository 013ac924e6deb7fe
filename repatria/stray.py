"""Strays: objects that stand at a region's home and that no receipt names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from repatria.names import DatasetName, RegionName
from repatria.ports.ledger import Receipts
from repatria.ports.records import Target

_PAGE: Final = 10_000


def strays(receipts: Receipts, target: Target, dataset: DatasetName, region: RegionName) -> int:
    """Count the objects under a region's prefix that are in no receipt's line.

    Keeps eight bytes per parcel; keys are compared by the first eight bytes of their SHA-256.
    """
    known = np.sort(_marks(_named(receipts, target, dataset, region)))
    count = 0
    listed = (found.object.key for found in target.objects(dataset, region))
    while page := list(islice(listed, _PAGE)):
        marks = _marks(iter(page))
        places = np.searchsorted(known, marks)
        inside = places < len(known)
        hits = np.zeros(len(marks), dtype=np.bool_)
        hits[inside] = known[places[inside]] == marks[inside]
        count += int((~hits).sum())
    return count


def _named(
    receipts: Receipts, target: Target, dataset: DatasetName, region: RegionName
) -> Iterator[str]:
    for receipt in receipts.receipts(dataset, region):
        for line in receipt.lines:
            if line.region == region and line.site == target.site:
                yield line.object.key


def _marks(keys: Iterator[str]) -> npt.NDArray[np.uint64]:
    digests = (int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") for key in keys)
    return np.fromiter(digests, dtype=np.uint64)
