"""What nobody asked for: objects at home that no receipt names, receipts that no plan names."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.ports.ledger import Receipts
from repatria.ports.records import Target
from repatria.receipt import Receipt
from repatria.stored import ObjectVersion

_PAGE: Final = 10_000


def strays(receipts: Receipts, target: Target, dataset: DatasetName, region: RegionName) -> int:
    """Count where a region's prefix and the receipts differ, object by object.

    An object that no receipt names counts, one that was put over a parcel (its version may still
    be there, but whoever asks for the key gets something else), and a parcel that is not listed.
    Keeps 24 bytes per parcel; keys and ETags are compared by eight bytes of their SHA-256.
    """
    keys = _marks(parcel.key for parcel in _named(receipts, target, dataset, region))
    wholes = _marks(map(_whole, _named(receipts, target, dataset, region)))
    count, seen = 0, [np.empty(0, dtype=np.uint64)]
    listed = (found.object for found in target.objects(dataset, region))
    while page := list(islice(listed, _PAGE)):
        seen.append(_marks(found.key for found in page))
        count += int((~np.isin(_marks(map(_whole, page)), wholes)).sum())
    return count + int((~np.isin(keys, np.concatenate(seen))).sum())


Homes = Mapping[RegionName, Collection[SiteName]]
"""Where each configured region belongs: its home, and its standby where it has one."""


def unplanned(
    receipts: Receipts, dataset: DatasetName, planned: Iterator[SliceId], homes: Homes
) -> int:
    """Count the records that a receipt moved and that nothing answers for any more.

    Their slice is not among ``planned``: its object is gone, or was left out. Or they stand where
    their region is no longer at home. Keeps eight bytes per planned slice.
    """
    known = _marks(planned)
    count = 0
    stream = receipts.receipts(dataset)
    while page := list[Receipt](islice(stream, _PAGE)):
        marks = _marks(receipt.batch.slice for receipt in page)
        inside = np.isin(marks, known)
        count += sum(page[place].moved for place in np.flatnonzero(~inside))
        count += sum(_misplaced(page[place], homes) for place in np.flatnonzero(inside))
    return count


def _misplaced(receipt: Receipt, homes: Homes) -> int:
    return sum(line.rows for line in receipt.lines if line.site not in homes.get(line.region, ()))


def _named(
    receipts: Receipts, target: Target, dataset: DatasetName, region: RegionName
) -> Iterator[ObjectVersion]:
    for receipt in receipts.receipts(dataset, region):
        for line in receipt.lines:
            if line.region == region and line.site == target.site:
                yield line.object


def _whole(found: ObjectVersion) -> str:
    return f"{found.etag} {found.key}"


def _marks(keys: Iterable[str]) -> npt.NDArray[np.uint64]:
    digests = (int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") for key in keys)
    return np.fromiter(digests, dtype=np.uint64)
