"""Seals object keys for the readers of a manifest (docs/formats/target.md).

AES-SIV (RFC 5297): equal keys give equal bytes, so that a manifest that says the same again is
the same again; what that tells (which entries are equal) the manifest tells anyhow.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from repatria.errors import KeyRefused


class KeySeal:
    """Seals and opens keys under 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._siv = AESSIV(key)

    def seal(self, key: str) -> bytes:
        """Return the sealed form: 16 bytes longer than the key's UTF-8."""
        return self._siv.encrypt(key.encode("utf-8", "surrogatepass"), None)

    def open(self, sealed: bytes) -> str:
        """Return the key. Raises ``KeyRefused`` if it was sealed under another."""
        try:
            return self._siv.decrypt(sealed, None).decode("utf-8", "surrogatepass")
        except InvalidTag as error:
            raise KeyRefused("this was not sealed under this key") from error
