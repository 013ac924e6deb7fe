"""Folds runs of words into one cell per row: the words of a text, the children of a list.

    cell = mix(Σ mix(word[i] + position_key[i]) + length · length_key)      in each lane

Rows are taken in pieces of at most ``PIECE`` words, a longer row in stretches, so that the
temporaries stay in the processor's cache and within 2 MiB whatever the data.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from repatria.digest.mixing import Counts, Lanes, mix, sums
from repatria.digest.schedule import POSITIONS, Schedule

PIECE: Final = POSITIONS


class Supply(Protocol):
    """Where the words of rows come from: one lane for both, or two."""

    def rows(self, first: int, stop: int) -> Lanes:
        """Return all words of rows ``first`` up to ``stop``, in order."""
        ...

    def part(self, row: int, skip: int, count: int) -> Lanes:
        """Return ``count`` words of one row, past its first ``skip``."""
        ...


def fold(supply: Supply, counts: Counts, lengths: Counts, schedule: Schedule) -> Lanes:
    """Return one cell per row. ``counts`` are words per row, ``lengths`` what the row measures."""
    folded = np.zeros((2, len(counts)), dtype=np.uint64)
    stops = np.cumsum(counts)
    row, done = 0, 0
    while row < len(counts):
        last = int(np.searchsorted(stops, done + PIECE, side="right"))
        if last > row:
            folded[:, row:last] = _short(supply, row, stops[row:last] - done, schedule)
        else:
            last = row + 1
            folded[:, row : row + 1] = _long(supply, row, int(counts[row]), schedule)
        row, done = last, int(stops[last - 1])
    folded += lengths.view(np.uint64) * schedule.length
    return mix(folded)


def _short(supply: Supply, row: int, stops: Counts, schedule: Schedule) -> Lanes:
    counts = np.diff(stops, prepend=0)
    places = np.arange(stops[-1]) - np.repeat(stops - counts, counts)
    keyed = schedule.positions.take(places, axis=1)
    keyed += supply.rows(row, row + len(stops))
    return sums(mix(keyed), stops)


def _long(supply: Supply, row: int, count: int, schedule: Schedule) -> Lanes:
    total = np.zeros((2, 1), dtype=np.uint64)
    for skip in range(0, count, PIECE):
        stop = min(skip + PIECE, count)
        words = supply.part(row, skip, stop - skip) + schedule.stretch(skip, stop)
        total += mix(words).sum(axis=1, keepdims=True)
    return total
