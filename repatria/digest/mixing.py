"""The arithmetic of record digests: two lanes of 64 bits, mixed in place.

Everything wraps modulo 2^64. ``mix`` is the finaliser of MurmurHash3 (Appleby, 2011), a bijection
of 64 bits. Costs about 4 ns for both lanes of one word.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
"""Words of 64 bits, one per row."""

Lanes = npt.NDArray[np.uint64]
"""Both lanes of a digest: shape (2, rows)."""

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

_SHIFT: Final = np.uint64(33)
_HALF: Final = np.uint64(32)
_FIRST: Final = np.uint64(0xFF51AFD7ED558CCD)
_SECOND: Final = np.uint64(0xC4CEB9FE1A85EC53)


def mix(words: Words) -> Words:
    """Mix every word in place and return the same array."""
    shifted = np.right_shift(words, _SHIFT)
    np.bitwise_xor(words, shifted, out=words)
    np.multiply(words, _FIRST, out=words)
    np.right_shift(words, _SHIFT, out=shifted)
    np.bitwise_xor(words, shifted, out=words)
    np.multiply(words, _SECOND, out=words)
    np.right_shift(words, _SHIFT, out=shifted)
    np.bitwise_xor(words, shifted, out=words)
    return words


def absorb(state: Lanes, cells: Lanes, odd: Lanes) -> None:
    """Take one column's cells into the state, in place: the order of columns matters.

    ``odd`` holds one odd multiplier per lane, shape (2, 1).
    """
    np.add(state, cells, out=state)
    np.bitwise_xor(state, np.right_shift(state, _HALF), out=state)
    np.multiply(state, odd, out=state)


def sums(mixed: Lanes, stops: Counts) -> Lanes:
    """Sum runs of words: run ``i`` ends before ``stops[i]`` and begins where the last ended."""
    running = np.zeros((2, mixed.shape[1] + 1), dtype=np.uint64)
    np.cumsum(mixed, axis=1, out=running[:, 1:])
    ends = running[:, stops]
    ends[:, 1:] -= ends[:, :-1]
    return ends
