r"""Where CSV records end: at a ``\n`` outside of quotes, whatever pieces the text comes in.

A quote opens only where a field begins; ``""`` inside a quoted field is one quote; any quote
elsewhere is a mistake that stands for itself, so that a bad record spoils as little as possible
of what follows. Where no quote is a mistake this is plain parity, computed in columns; a piece
with a mistake is walked quote by quote. ``\r`` alone ends nothing.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from connectors.formats.lines import LF, Mask, Offsets
from connectors.formats.packing import Octets
from repatria.errors import BadObject

QUOTE = 0x22

_FIELD_BEGINS, _JUST_CLOSED, _IN_FIELD = 0, 1, 2


class QuotedEnds:
    """Finds ends of CSV records, piece after piece, from the text's first record on."""

    def __init__(self, delimiter: int, at: int, label: str) -> None:
        self._delimiter = delimiter
        self._at = at
        self._label = label
        self._inside = False
        self._before = _FIELD_BEGINS
        self._opened_at = 0

    def ends(self, piece: Octets) -> Offsets:
        octets = np.frombuffer(piece, dtype=np.uint8)
        newlines = np.flatnonzero(octets == LF)
        quotes = np.flatnonzero(octets == QUOTE)
        if len(quotes) and not self._begins_fields(octets, quotes[self._inside :: 2]).all():
            quotes = self._walked(octets, quotes)
        outside = (np.searchsorted(quotes, newlines) + self._inside) % 2 == 0
        self._pass(octets, quotes)
        return cast("Offsets", newlines[outside] + 1)

    def finish(self) -> None:
        if self._inside:
            raise BadObject(
                "a quoted CSV field is never closed",
                object=self._label,
                opened_at_byte=self._opened_at,
            )

    def _begins_fields(self, octets: npt.NDArray[np.uint8], opening: Offsets) -> Mask:
        """Say of quotes met outside of quotes whether each may open (or open again)."""
        before = octets[opening - 1]
        may = (before == self._delimiter) | (before == LF) | (before == QUOTE)
        if len(opening) and opening[0] == 0:
            may[0] = self._before != _IN_FIELD
        return cast("Mask", may)

    def _walked(self, octets: npt.NDArray[np.uint8], quotes: Offsets) -> Offsets:
        """Return the quotes that open or close, without those that are mistakes."""
        inside, closed = self._inside, -1 if self._before == _JUST_CLOSED else -2
        real = []
        for place in quotes.tolist():
            if inside:
                closed = place
            elif closed != place - 1 and not self._field_begins(octets, place):
                continue
            inside = not inside
            real.append(place)
        return np.array(real, dtype=np.int64)

    def _field_begins(self, octets: npt.NDArray[np.uint8], place: int) -> bool:
        if place == 0:
            return self._before == _FIELD_BEGINS
        return bool(octets[place - 1] in (self._delimiter, LF))

    def _pass(self, octets: npt.NDArray[np.uint8], quotes: Offsets) -> None:
        """Remember what the next piece must know."""
        opening = quotes[self._inside :: 2]
        again = octets[opening - 1] == QUOTE
        if len(opening) and opening[0] == 0:
            again[0] = self._before == _JUST_CLOSED
        if not again.all():
            self._opened_at = self._at + int(opening[~again][-1])
        self._inside = (len(quotes) + self._inside) % 2 == 1
        self._at += len(octets)
        if len(quotes) and quotes[-1] == len(octets) - 1:
            self._before = _JUST_CLOSED
        else:
            begins = octets[-1] in (self._delimiter, LF)
            self._before = _FIELD_BEGINS if begins else _IN_FIELD
