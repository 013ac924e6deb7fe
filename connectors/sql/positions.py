"""Positions of records in few bytes: differences, in zigzag, as varints, deflated.

Rising positions cost one or two bytes each before deflating. Any order of any 64-bit numbers
survives: differences wrap around. Vectorised over the positions, ten steps at most.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

_BITS: Final = 7
_WIDTH: Final = 10
_MORE: Final = 0x80


def pack(positions: Sequence[int]) -> bytes:
    """Write positions (0 to 2^64 - 1)."""
    values = np.array(positions, dtype=np.uint64)
    steps = np.diff(values, prepend=np.uint64(0)).astype(np.int64)
    zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    shifts = np.arange(_WIDTH, dtype=np.uint64) * np.uint64(_BITS)
    rest = zigzag[:, None] >> shifts[None, :]
    used = rest > 0
    used[:, 0] = True
    more = np.zeros_like(used)
    more[:, :-1] = used[:, 1:]
    digits = (rest & np.uint64(_MORE - 1)).astype(np.uint8) | (more.astype(np.uint8) * _MORE)
    return zlib.compress(digits[used].tobytes(), 6)


def unpack(packed: bytes) -> tuple[int, ...]:
    """Read what ``pack`` wrote."""
    digits = np.frombuffer(zlib.decompress(packed), dtype=np.uint8)
    if not digits.size:
        return ()
    starts = np.flatnonzero(np.concatenate(([True], digits[:-1] < _MORE)))
    lengths = np.diff(starts, append=digits.size)
    place = np.arange(digits.size) - np.repeat(starts, lengths)
    parts = (digits & (_MORE - 1)).astype(np.uint64) << (place * _BITS).astype(np.uint64)
    zigzag = np.add.reduceat(parts, starts)
    steps = (zigzag >> np.uint64(1)) ^ (np.uint64(0) - (zigzag & np.uint64(1)))
    return tuple(int(value) for value in np.cumsum(steps, dtype=np.uint64))
