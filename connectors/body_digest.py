"""Digests of whole bodies, as stores keep them beside the body.

The real S3 keeps CRC-64/NVME with every object unless its writer chose another; the SDK computes
neither that nor CRC-32C without a package of its own. Here the compiled library does, at 14 GB/s on
one core; MD5 reaches 0.8, SHA-256 1.8. Without the library there is CRC-32 by zlib, and for the
other two the MD5 that the ETag is, where it is one. Sources: Amazon S3 user guide, "Checking object
integrity"; RFC 3720, B.4 (CRC-32C); NVM Express NVM command set 1.0, 5.2.1.3.4 (CRC-64/NVME).
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import pyarrow as pa

from repatria.errors import Garbled
from repatria.names import SiteName
from repatria.native.library import NATIVE
from repatria.stored import Checksum, Found

MD5: Final = "MD5"

_Octets = bytes | memoryview


class BodyDigest(Protocol):
    """A digest on its way through a body."""

    def update(self, data: _Octets, /) -> None:
        """Go on by these bytes."""
        ...

    def digest(self) -> bytes:
        """Return the digest of all bytes so far."""
        ...


@dataclass(frozen=True, slots=True)
class _Kind:
    """A CRC: its number in the library, and its bytes."""

    number: int
    width: int


_CRCS: Final[Mapping[str, _Kind]] = {
    "CRC32": _Kind(0, 4),
    "CRC32C": _Kind(1, 4),
    "CRC64NVME": _Kind(2, 8),
}
_HASHES: Final[Mapping[str, Callable[[], BodyDigest]]] = {
    "SHA512": hashlib.sha512,
    "SHA256": hashlib.sha256,
    "SHA1": partial(hashlib.sha1, usedforsecurity=False),
    MD5: partial(hashlib.md5, usedforsecurity=False),
}


class Crc:
    """A CRC by the compiled library. ``plain``: by its tables, whatever the processor can do."""

    def __init__(self, algorithm: str, library: ctypes.CDLL, *, plain: bool = False) -> None:
        self._kind = _CRCS[algorithm]
        self._all_ones = (1 << 8 * self._kind.width) - 1
        self._register = self._all_ones
        self._plain = plain
        self._crc = library.repatria_crc
        self._crc.restype = ctypes.c_uint64
        self._crc.argtypes = [
            *(ctypes.c_int32, ctypes.c_uint64),
            *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32),
        ]

    def update(self, data: _Octets, /) -> None:
        held = pa.py_buffer(data)
        self._register = self._crc(
            self._kind.number, self._register, held.address, held.size, self._plain
        )

    def digest(self) -> bytes:
        return (self._register ^ self._all_ones).to_bytes(self._kind.width, "big")


class _Crc32:
    """CRC-32 by zlib, where there is no library."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: _Octets, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def begun(algorithm: str, library: ctypes.CDLL | None = NATIVE) -> BodyDigest | None:
    """Return a digest of nothing yet; None for an algorithm that cannot be computed here."""
    if algorithm in _CRCS and library is not None:
        return Crc(algorithm, library)
    if algorithm == "CRC32":
        return _Crc32()
    make = _HASHES.get(algorithm)
    return make() if make is not None else None


def comparable(said: Checksum) -> bool:
    """Say whether bodies can be compared with this here: it can be computed, and is as long."""
    digest = begun(said.algorithm)
    try:
        told = base64.b64decode(said.value, validate=True)
    except ValueError:
        return False
    return digest is not None and len(told) == len(digest.digest())


class Comparison:
    """A body on its way, compared at its end with what the store says. None: nothing is said."""

    def __init__(self, said: Checksum | None, site: SiteName) -> None:
        self._said = said
        self._site = site
        self._digest = begun(said.algorithm) if said is not None else None

    def update(self, data: _Octets) -> None:
        """Go on by these bytes."""
        if self._digest is not None:
            self._digest.update(data)

    @property
    def equal(self) -> bool:
        """Whether the bytes so far are those of which the store said it; nothing said is equal."""
        return self._digest is None or self.comes_to(self._said)

    def comes_to(self, said: Checksum | None) -> bool:
        """Say whether the bytes so far come to this checksum, if it is of the same algorithm."""
        if self._digest is None or self._said is None or said is None:
            return False
        value = base64.b64encode(self._digest.digest()).decode()
        return (said.algorithm, said.value) == (self._said.algorithm, value)

    def end(self) -> None:
        """Raise ``Garbled`` if the bytes so far are not the body."""
        if not self.equal and self._said is not None:
            raise Garbled(
                "a body is not the one whose checksum the store keeps",
                site=self._site,
                operation="GetObject",
                checksum=self._said.algorithm,
            )


def as_sent(stored: pa.Buffer, sent: pa.Buffer, site: SiteName) -> pa.Buffer:
    """Return what was stored. Raises ``Garbled`` unless it is, byte by byte, what was sent."""
    if not stored.equals(sent):
        raise Garbled("a body is not the one that was sent", site=site, operation="GetObject")
    return stored


def md5_of(etag: str) -> Checksum:
    """Return the checksum that an ETag is, if it is an MD5."""
    return Checksum(MD5, base64.b64encode(bytes.fromhex(etag)).decode())


def wanted(found: Found) -> Checksum | None:
    """Return what the whole body of an object must come to; None where nothing says so."""
    if found.checksum is not None and comparable(found.checksum):
        return found.checksum
    return md5_of(found.object.etag) if found.etag_is_md5 else None
