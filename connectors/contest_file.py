"""Verdicts of reconciliation as a file: which batches were heard, and the rows that do not win.

Mapped, never loaded. A batch that was not heard has no verdicts, and asking for them is an
error, never "wins": silence is not consent. Layout in docs/formats/directory.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from connectors.sections import Columns, read, write
from repatria.contest import Standing
from repatria.errors import BadObject, Corrupt, Damaged, PlanRefused
from repatria.names import Ordinal, SliceId
from repatria.ports.spill import Heard, VerdictBlock

MAGIC: Final = b"repatria ver v0\n"
LAYOUT: Final = {
    "piece_high": "<u8",
    "piece_low": "<u8",
    "ordinal": "<u4",
    "rows": "<u4",
    "state": "|u1",
    "stop": "<u8",  # Where the batch's verdicts end; they begin where the last batch's end.
    "row": "<u4",
    "code": "|u1",
}


class ContestFileShelf:
    """Writes one set of verdicts at one path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, blocks: Iterable[VerdictBlock]) -> str:
        return write(self._path, MAGIC, LAYOUT, {}, _columns(blocks))


def _columns(blocks: Iterable[VerdictBlock]) -> Iterator[Columns]:
    stop = 0
    for block in blocks:
        stops = stop + np.cumsum(block.verdicts, dtype=np.uint64)
        stop += len(block.row)
        assert not len(stops) or int(stops[-1]) == stop, "each verdict belongs to a batch"
        yield {
            "piece_high": block.piece[:, 0],
            "piece_low": block.piece[:, 1],
            "ordinal": block.ordinal,
            "rows": block.rows,
            "state": block.state,
            "stop": stops,
            "row": block.row,
            "code": block.code,
        }


class ContestFile:
    """Mapped verdicts."""

    def __init__(self, path: Path, digest: str) -> None:
        """Open the file that has ``digest``. Raises ``PlanRefused`` or ``Damaged``."""
        found = read(path, MAGIC, LAYOUT)
        if found.digest != digest:
            raise PlanRefused("these are not the verdicts that were planned with", file=path.name)
        self._heard = found.columns
        _require_whole(found.columns, path.name)

    def verdicts(self, piece: SliceId, ordinal: Ordinal, rows: int) -> npt.NDArray[np.uint8]:
        """Return a standing per row; see ``Contest``.

        Raises ``Corrupt`` for a batch that was not heard, or had another number of rows then, and
        ``BadObject`` for a slice of the backup that could not be read when the plan was made.
        """
        standings = np.full(rows, Standing.WINS, dtype=np.uint8)
        first, stop = self._entries(piece)
        if first == stop:
            raise Corrupt("a slice was not reconciled with the other site", slice=piece)
        state = int(self._heard["state"][first])
        if state == Heard.PRIMARY_FAILED:
            return standings
        if state == Heard.BACKUP_FAILED:
            raise BadObject("a slice could not be read when it was reconciled", slice=piece)
        at = first + int(np.searchsorted(self._heard["ordinal"][first:stop], ordinal))
        if at == stop or int(self._heard["ordinal"][at]) != ordinal:
            raise Corrupt("a batch was not reconciled", slice=piece, ordinal=ordinal)
        if int(self._heard["rows"][at]) != rows:
            raise Corrupt(
                "a batch has another number of rows than when it was reconciled",
                slice=piece,
                ordinal=ordinal,
            )
        begin = int(self._heard["stop"][at - 1]) if at else 0
        end = int(self._heard["stop"][at])
        standings[self._heard["row"][begin:end]] = self._heard["code"][begin:end]
        return standings

    def _entries(self, piece: SliceId) -> tuple[int, int]:
        """Return where the entries of a slice begin and end."""
        high, low = np.uint64(int(piece[:16], 16)), np.uint64(int(piece[16:], 16))
        first = int(np.searchsorted(self._heard["piece_high"], high, side="left"))
        last = int(np.searchsorted(self._heard["piece_high"], high, side="right"))
        lows = self._heard["piece_low"][first:last]
        return (
            first + int(np.searchsorted(lows, low, side="left")),
            first + int(np.searchsorted(lows, low, side="right")),
        )


def _require_whole(heard: Columns, name: str) -> None:
    batches = {len(heard[column]) for column in ("piece_high", "piece_low", "ordinal", "rows")}
    batches |= {len(heard["state"]), len(heard["stop"])}
    verdicts = {len(heard["row"]), len(heard["code"])}
    last = {int(heard["stop"][-1]) if len(heard["stop"]) else 0}
    if len(batches) != 1 or len(verdicts | last) != 1:
        raise Damaged("verdicts are not whole", file=name)
