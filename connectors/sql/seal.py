"""Seals: what makes the keys of objects unreadable to whoever reads the database alone.

An object's key can name a person (law 9). With a seal, every key and every stripe's body is
stored as AES-256-GCM with a random nonce of 96 bits in front (NIST SP 800-38D): good for 2^32
values under one key, some hundred million receipts. The key is never in the database.
"""

from __future__ import annotations

import os
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from repatria.errors import ConfigRefused

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Seal(Protocol):
    """Makes bytes unreadable, and readable again."""

    def seal(self, plain: bytes) -> bytes: ...

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed. Raises ``ConfigRefused`` if another key sealed it."""
        ...


class AesGcmSeal:
    """AES-256-GCM under one key of 32 bytes. Its repr does not tell the key."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES, "a seal's key has 32 bytes"
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag as error:
            raise ConfigRefused(
                "the ledger was sealed with another key; give the key that it was made with"
            ) from error


class Unsealed:
    """No seal at all: for datasets whose keys name nobody."""

    def seal(self, plain: bytes) -> bytes:
        return plain

    def open(self, sealed: bytes) -> bytes:
        return sealed
