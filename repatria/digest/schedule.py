"""The key schedule: every constant of a digest follows from one secret key.

HMAC-SHA256 gives two 64-bit words per label, one for each lane; the position keys are the
SplitMix64 stream (Steele et al., 2014) that begins at such a word.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import numpy as np

from repatria.digest.mixing import Lanes, mix

KEY_BYTES_MIN: Final = 16
POSITIONS: Final = 1 << 15
"""How many position keys are kept; those of longer values are made anew, stretch by stretch."""

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_ONE: Final = np.uint64(1)


class Schedule:
    """Constants under one key, 0.5 MiB; never changes, so that threads may share it."""

    def __init__(self, key: bytes) -> None:
        assert len(key) >= KEY_BYTES_MIN, "a digest key has 16 bytes or more"
        self._key = bytes(key)
        self.origin = self.constant("position")
        self.positions = self._stream(0, POSITIONS)
        self.null = self.constant("null")
        self.length = self.constant("length") | _ONE
        self.struct = self.constant("struct")
        self.final = self.constant("final")

    def constant(self, label: str) -> Lanes:
        """Return both lanes of the constant that ``label`` names, shape (2, 1)."""
        mac = hmac.new(self._key, b"repatria digest 0\x00", hashlib.sha256)
        mac.update(label.encode("utf-8", "surrogatepass"))
        return np.frombuffer(mac.digest()[:16], dtype="<u8").astype(np.uint64).reshape(2, 1)

    def stretch(self, first: int, stop: int) -> Lanes:
        """Return the keys of positions ``first`` up to ``stop``, shape (2, stop - first)."""
        return self.positions[:, first:stop] if stop <= POSITIONS else self._stream(first, stop)

    def odd(self, place: int) -> Lanes:
        """Return the odd multipliers with which column or field ``place`` is absorbed."""
        return self.stretch(place, place + 1) | _ONE

    def _stream(self, first: int, stop: int) -> Lanes:
        steps = np.arange(first + 1, stop + 1, dtype=np.uint64) * _STEP
        return mix(self.origin + steps)
