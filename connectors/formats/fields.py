r"""Fields of CSV records (RFC 4180), found in columns and cut out without copying the rest.

Well formed is: a quoted field begins and ends with a quote, and holds quotes only in pairs; a
field without quotes holds none, and no ``\r`` but the one of a final ``\r\n``. Blanks belong to
their field, so a quote after one is a mistake. Costs about ten NumPy operations per delimiter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.formats.lines import LF, Lines, Mask, Offsets
from connectors.formats.quotes import QUOTE

CR = 0x0D

_QUOTE, _DELIMITER, _CR = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Fields:
    """Records taken apart: which are well formed, how many fields each has, and where they part."""

    lines: Lines = field(repr=False)
    formed: Mask
    counts: Offsets
    delimiters: Offsets = field(repr=False)
    owners: Offsets = field(repr=False)  #: The record of each delimiter.

    def texts(self, good: Mask, number: int, width: int) -> pa.Array[Any]:
        """Return one field of the good records, which all have ``width`` fields and are UTF-8."""
        inner = self.delimiters[good[self.owners]].reshape(int(good.sum()), width - 1)
        start = self.lines.edges[:-1][good] if number == 0 else inner[:, number - 1] + 1
        stop = self._content_stops()[good] if number == width - 1 else inner[:, number]
        return _cut(self.lines.octets, start, stop)

    def longest(self) -> int:
        """Return the bytes of the longest field of the first record, its quotes included."""
        inner = self.delimiters[self.owners == 0]
        stops = np.concatenate((inner, self._content_stops()[:1]))
        return int((stops - np.concatenate(([0], inner + 1))).max())

    def _content_stops(self) -> Offsets:
        """Return where records end, their terminators not counted."""
        octets, edges = self.lines.octets, self.lines.edges
        stops = edges[1:] - (octets[edges[1:] - 1] == LF)
        return cast("Offsets", stops - (octets[stops - 1] == CR))


def split(lines: Lines, delimiter: int) -> Fields:
    """Find the fields of records, each of which ends where ``QuotedEnds`` says."""
    marks = _marks(lines, delimiter)
    bad = np.zeros(len(lines), dtype=np.bool_)
    outside = np.ones(len(marks.places), dtype=np.bool_)
    quotes = marks.kinds == _QUOTE
    if quotes.any():
        seen = np.concatenate(([0], np.cumsum(quotes)))
        outside = (seen[:-1] - seen[marks.ranks[:-1]][marks.owners]) % 2 == 0
        bad[marks.owners[quotes][~_fit(lines, marks, quotes, outside[quotes])]] = True
    returns = (marks.kinds == _CR) & outside
    bad[marks.owners[returns][_after(lines, marks.places[returns]) != LF]] = True
    parting = (marks.kinds == _DELIMITER) & outside
    owners = marks.owners[parting]
    counts = np.bincount(owners, minlength=len(lines)) + 1
    return Fields(lines, ~bad, counts, marks.places[parting], owners)


@dataclass(frozen=True, slots=True)
class _Marks:
    r"""Every quote, delimiter and ``\r``: where, what, and of which record."""

    delimiter: int
    places: Offsets
    kinds: npt.NDArray[np.uint8]
    ranks: Offsets  #: How many marks precede each edge.
    owners: Offsets


def _marks(lines: Lines, delimiter: int) -> _Marks:
    classes = np.zeros(256, dtype=np.uint8)
    classes[[QUOTE, delimiter, CR]] = _QUOTE, _DELIMITER, _CR
    kinds = classes[lines.octets]
    places = np.flatnonzero(kinds)
    ranks = np.searchsorted(places, lines.edges)
    owners = np.repeat(np.arange(len(lines)), np.diff(ranks))
    return _Marks(delimiter, places, kinds[places], ranks, owners)


def _fit(lines: Lines, marks: _Marks, quotes: Mask, outside: Mask) -> Mask:
    """Say of each quote whether it stands where one may: around a field, or paired inside."""
    places, owners = marks.places[quotes], marks.owners[quotes]
    before, after = lines.octets[places - 1], _after(lines, places)
    opens = (places == lines.edges[owners]) | np.isin(before, (marks.delimiter, QUOTE))
    closes = (places + 1 == lines.edges[owners + 1]) | np.isin(
        after, (marks.delimiter, QUOTE, LF, CR)
    )
    return cast("Mask", np.where(outside, opens, closes))


def _after(lines: Lines, places: Offsets) -> npt.NDArray[np.uint8]:
    """Return the octet after each place; 0 after the last of all."""
    last = len(lines.octets) - 1
    return np.where(places < last, lines.octets[np.minimum(places + 1, last)], 0).astype(np.uint8)


def _cut(octets: npt.NDArray[np.uint8], start: Offsets, stop: Offsets) -> pa.Array[Any]:
    """Cut texts out: fields and the gaps between them are one array, of which fields are taken."""
    if not len(start):
        return pa.array([], pa.string())
    quoted = (octets[np.minimum(start, len(octets) - 1)] == QUOTE) & (stop > start)
    offsets = np.empty(2 * len(start), dtype=np.int64)
    offsets[0::2] = start + quoted
    offsets[1::2] = stop - quoted
    buffers = [None, pa.py_buffer(offsets.data), pa.py_buffer(octets.data)]
    both: pa.Array[Any] = pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)
    texts = both.take(np.arange(0, len(both), 2)).cast(pa.string())
    return pc.replace_substring(texts, '""', '"') if quoted.any() else texts
