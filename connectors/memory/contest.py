"""Verdicts where nothing is contested, and verdicts that are given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from repatria.contest import Standing
from repatria.errors import Corrupt
from repatria.names import Ordinal, SliceId


class NoContest:
    """Every record wins: a dataset whose backup holds nothing else, or is ignored."""

    def verdicts(self, piece: SliceId, ordinal: Ordinal, rows: int) -> npt.NDArray[np.uint8]:
        return np.full(rows, Standing.WINS, dtype=np.uint8)


class MemoryContest:
    """Verdicts by batch; a batch that is not among them was not reconciled, and is an error."""

    def __init__(self, standings: Mapping[tuple[SliceId, Ordinal], npt.NDArray[np.uint8]]) -> None:
        self._standings = dict(standings)

    def verdicts(self, piece: SliceId, ordinal: Ordinal, rows: int) -> npt.NDArray[np.uint8]:
        found = self._standings.get((piece, ordinal))
        if found is None or len(found) != rows:
            raise Corrupt("a batch was not reconciled", slice=piece, ordinal=ordinal)
        return found.copy()
