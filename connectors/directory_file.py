"""The directory as a file of its own: sorted keyed digests of users, and each one's region.

Mapped, never loaded: a billion users are 18 GB, of which a look-up touches the pages it needs, in
order. Costs about 0.2 µs a user beyond the digest while the pages are in memory; opening it
reads it once from end to end to check it (docs/formats/directory.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sections import Columns, read, write
from repatria.dataset import ColumnType
from repatria.digest import Digester
from repatria.errors import Damaged, PlanRefused
from repatria.names import RegionName
from repatria.ports.spill import DirectoryBlock, DirectoryHead

MAGIC: Final = b"repatria dir v0\n"
LAYOUT: Final = {"high": "<u8", "low": "<u8", "code": "<i2"}

_UNKNOWN: Final = -2
_LOWEST: Final = -3


class DirectoryFileShelf:
    """Writes one directory at one path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, head: DirectoryHead, blocks: Iterable[DirectoryBlock]) -> str:
        facts = {"check": head.check, "regions": list(head.regions), "user": head.user.value}
        columns: Iterable[Columns] = (
            {"high": block.high, "low": block.low, "code": block.codes} for block in blocks
        )
        return write(self._path, MAGIC, LAYOUT, facts, columns)


class DirectoryFile:
    """A mapped directory, asked in terms of an atlas's order of regions."""

    def __init__(
        self, path: Path, digester: Digester, regions: Sequence[RegionName], digest: str
    ) -> None:
        """Open the file that has ``digest``.

        Raises ``PlanRefused`` if it is another file, was made under another key, or knows other
        regions; ``Damaged`` if it is not as it was written.
        """
        found = read(path, MAGIC, LAYOUT)
        if found.digest != digest:
            raise PlanRefused("this is not the directory that was planned with", file=path.name)
        if found.facts.get("check") != digester.check:
            raise PlanRefused("this directory was made under another key", file=path.name)
        known = found.facts.get("regions")
        if not isinstance(known, list) or set(known) != set(regions):
            raise PlanRefused("this directory was made for other regions", file=path.name)
        self.digest = digest
        self._user = ColumnType(found.facts["user"])
        self._digester = digester
        self._high, self._low = found.columns["high"], found.columns["low"]
        self._codes = found.columns["code"]
        places = [-3, -2, -1, *(list(regions).index(name) for name in known)]
        self._places = np.array(places, dtype=np.int32)
        if len(self._codes) and not _within(self._codes, len(known)):
            raise Damaged("a directory has a code outside of its regions", file=path.name)

    def __len__(self) -> int:
        return len(self._codes)

    def lookup(self, users: pa.Array[Any]) -> npt.NDArray[np.int32]:
        found = np.full(len(users), _UNKNOWN, dtype=np.int32)
        asked = np.flatnonzero(~_absent(users))
        if not len(asked) or not len(self._codes):
            return found
        digests = self._digester.values([users], [self._user]).select(asked)
        order = np.argsort(digests.high, kind="stable")
        places = self._search(digests.high[order], digests.low[order])
        known = places >= 0
        codes = self._codes[places[known]].astype(np.int64)
        found[asked[order[known]]] = self._places[codes - _LOWEST]
        return found

    def _search(
        self, high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.int64]:
        """Return where each digest stands, or -1. ``high`` ascends."""
        places = np.searchsorted(self._high, high).astype(np.int64)
        found = np.full(len(high), -1, dtype=np.int64)
        open_ = np.arange(len(high))
        while len(open_):  # Again only for those whose high half is another user's too.
            at = places[open_]
            inside = at < len(self._high)
            open_, at = open_[inside], at[inside]
            alike = self._high[at] == high[open_]
            open_, at = open_[alike], at[alike]
            hit = self._low[at] == low[open_]
            found[open_[hit]] = at[hit]
            open_ = open_[~hit]
            places[open_] += 1
        return found


def _absent(users: pa.Array[Any]) -> npt.NDArray[np.bool_]:
    """Say where there is no user: null, or the empty text."""
    absent = pc.is_null(users).to_numpy(zero_copy_only=False).astype(np.bool_)
    if pa.types.is_integer(users.type) or pa.types.is_temporal(users.type):
        return absent
    empty: pa.Array[Any] = pc.equal(users.cast(pa.large_string()), pa.scalar("", pa.large_string()))
    absent |= empty.fill_null(True).to_numpy(zero_copy_only=False)  # noqa: FBT003 - a value
    return absent


def _within(codes: npt.NDArray[np.int16], regions: int) -> bool:
    return bool(codes.min() >= _LOWEST and codes.max() < regions)
