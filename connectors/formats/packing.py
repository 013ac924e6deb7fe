"""Packed streams: gzip, zstd or neither, read in bounded memory and written deterministically.

A stream that ends too early, fails its checksum, or is followed by something else is a
``BadObject``, never a short object: a truncated stream must not look like fewer records. Several
gzip members or zstd frames one after the other are one stream (RFC 1952 2.2, RFC 8878 3), and
zero bytes after a gzip member are padding, as gzip(1) sees it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import IOBase
from typing import cast

import pyarrow as pa

from repatria.dataset import Compression, Dataset
from repatria.errors import BadObject
from repatria.limits import MIB, Limits
from repatria.slice import Slice

Octets = bytes | memoryview
"""A run of bytes that may be a view of a larger one."""

_ENDINGS = {
    ".gz": Compression.GZIP,
    ".gzip": Compression.GZIP,
    ".zst": Compression.ZSTD,
    ".zstd": Compression.ZSTD,
}
_GZIP_LEVEL = 3  # Twice as fast as 6, and a twelfth larger: docs/performance.md.
_ZSTD_LEVEL = 3
_GZIP_WINDOW = 31  # Of zlib: 32 KiB, with gzip's header and trailer.
_FED_BYTES = 16 * 1024  # What follows a member is copied once per member: keep it short.
_RATIO_FREE_BYTES = 64 * MIB  # A small object may pack as well as it likes.


@dataclass(frozen=True, slots=True)
class Packing:
    """How a stream is packed, what messages call it, and the decoded bytes it may have."""

    compression: Compression
    label: str = field(repr=False)
    decoded_bytes_max: int


def compression_of(dataset: Dataset, name: str) -> Compression:
    """Say how an object of this dataset is packed; ``AUTO`` goes by the ending of ``name``."""
    if dataset.compression is not Compression.AUTO:
        return dataset.compression
    lowered = name.lower()
    found = (kind for ending, kind in _ENDINGS.items() if lowered.endswith(ending))
    return next(found, Compression.NONE)


def packing_of(dataset: Dataset, piece: Slice, stored_bytes: int, limits: Limits) -> Packing:
    """Return how a slice's object is packed, and what it may decode to."""
    compression = compression_of(dataset, piece.relative)
    return Packing(compression, piece.label, decoded_bytes_max(stored_bytes, limits))


def decoded_bytes_max(stored_bytes: int, limits: Limits) -> int:
    """Return what an object of this size may decode to."""
    return max(_RATIO_FREE_BYTES, stored_bytes * limits.decoded_ratio)


class Decoded:
    """Decoded bytes of one object so far, against what its stored bytes allow."""

    def __init__(self, label: str, bytes_max: int) -> None:
        self._label = label
        self._bytes_max = bytes_max
        self._bytes = 0

    def more(self, count: int) -> None:
        """Count more bytes. Raises ``BadObject`` once they are too many."""
        self._bytes += count
        if self._bytes > self._bytes_max:
            raise BadObject(
                "an object decodes to more bytes per stored byte than limits.decoded_ratio allows",
                object=self._label,
                decoded_bytes_max=self._bytes_max,
            )


def unlimited(compression: Compression) -> Packing:
    """Return the packing of what we packed ourselves."""
    return Packing(compression, "parcel", 1 << 62)


def unpacked(chunks: Iterable[Octets], packing: Packing) -> Iterator[Octets]:
    """Yield the decoded bytes in chunks of any size.

    Raises ``BadObject`` for a damaged, truncated or too well packed stream.
    """
    decoded = Decoded(packing.label, packing.decoded_bytes_max)
    for chunk in _decoded(chunks, packing):
        if packing.compression is not Compression.NONE:
            decoded.more(len(chunk))
        yield chunk


def packed(parts: Sequence[Octets | pa.Buffer], compression: Compression) -> pa.Buffer:
    """Pack parts as one stream: gzip level 3 without a time, or one frame of zstd level 3."""
    if compression is Compression.GZIP:
        press = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        return pa.py_buffer(b"".join([*map(press.compress, parts), press.flush()]))
    joined = pa.py_buffer(parts[0] if len(parts) == 1 else b"".join(parts))
    if compression is Compression.ZSTD:
        frame = pa.Codec("zstd", compression_level=_ZSTD_LEVEL).compress(joined, asbytes=True)
        return pa.py_buffer(frame)
    return joined


def _decoded(chunks: Iterable[Octets], packing: Packing) -> Iterator[Octets]:
    if packing.compression is Compression.GZIP:
        return _from_gzip(chunks, packing.label)
    if packing.compression is Compression.ZSTD:
        return _from_zstd(chunks, packing.label)
    return iter(chunks)


def _from_gzip(chunks: Iterable[Octets], label: str) -> Iterator[bytes]:
    members = 0
    member = None
    for fed, morsel in _morsels(chunks):
        rest = morsel
        while rest:
            if member is None:
                rest = rest.lstrip(b"\0") if members else rest
                member = zlib.decompressobj(_GZIP_WINDOW) if rest else None
                continue
            try:
                yield from _inflated(member, rest)
            except zlib.error as error:
                raise _damaged("gzip", label, fed) from error
            rest = member.unused_data
            if member.eof:
                member, members = None, members + 1
    if member is not None or not members:
        raise _truncated("gzip", label)


def _inflated(member: zlib._Decompress, morsel: bytes) -> Iterator[bytes]:
    """Decode a morsel in pieces of at most a MiB, however much it decodes to."""
    out = member.decompress(morsel, MIB)
    while out:
        yield out
        out = member.decompress(member.unconsumed_tail, MIB) if not member.eof else b""


def _morsels(chunks: Iterable[Octets]) -> Iterator[tuple[int, bytes]]:
    """Yield short runs of bytes, each with the count of stored bytes before it."""
    fed = 0
    for chunk in chunks:
        for start in range(0, len(chunk), _FED_BYTES):
            morsel = bytes(chunk[start : start + _FED_BYTES])
            yield fed, morsel
            fed += len(morsel)


def _from_zstd(chunks: Iterable[Octets], label: str) -> Iterator[bytes]:
    handle = _Handle(chunks)
    stream = pa.CompressedInputStream(pa.PythonFile(cast("IOBase", handle), mode="r"), "zstd")
    while True:
        try:
            out = stream.read(MIB)
        except OSError as error:
            raise _damaged("zstd", label, handle.fed) from error
        if not out:
            break
        yield out
    if not handle.fed:
        raise _truncated("zstd", label)


class _Handle:
    """As much of a file as pyarrow asks for, over chunks."""

    closed = False

    def __init__(self, chunks: Iterable[Octets]) -> None:
        self._morsels = _morsels(chunks)
        self._left = b""
        self.fed = 0

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = next(self._morsels, (0, b""))[1]
        out, self._left = self._left[:size], self._left[size:]
        self.fed += len(out)
        return out

    def close(self) -> None:
        self.closed = True


def view(buffer: pa.Buffer) -> memoryview:
    """Look at a buffer's bytes. One that was shrunk shows more than its size by itself."""
    return memoryview(buffer)[: buffer.size]


def _damaged(kind: str, label: str, fed: int) -> BadObject:
    return BadObject(
        f"a {kind} stream is truncated, damaged, or followed by something else",
        object=label,
        near_stored_byte=fed,
    )


def _truncated(kind: str, label: str) -> BadObject:
    return BadObject(f"a {kind} stream is empty or ends before its own end", object=label)
