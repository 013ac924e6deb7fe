"""Files of columns: a header, then sections of numbers, mapped where they lie.

    16 bytes   magic
     4 bytes   length of the header's text, little-endian
               the header: JSON with "facts", "sections" [[name, type, count] …], and "sha256"
               of the body; filled with blanks, so that the body begins at a multiple of 64
               the sections in order, each filled with zero bytes to a multiple of 64

A file's digest is the SHA-256 of all that precedes the body, and so of everything. It is
written beside its place and renamed into it once it is on the disk: a crash leaves the old
file or the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from connectors.disk import translated
from repatria.errors import Damaged, DiskRefused, PlanRefused

Layout = Mapping[str, str]
"""Names of sections, in order, and their NumPy types."""

Columns = Mapping[str, npt.NDArray[Any]]

_ALIGN: Final = 64
_MAGIC_BYTES: Final = 16
_HEADER_BYTES_MAX: Final = 1 << 20
_COPY_BYTES: Final = 1 << 20
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_UNKNOWN_SHA256: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Sections:
    """A mapped file of columns."""

    facts: Mapping[str, Any]
    columns: Columns = field(repr=False)
    digest: str


def write(
    path: Path, magic: bytes, layout: Layout, facts: Mapping[str, Any], blocks: Iterable[Columns]
) -> str:
    """Write the file whose sections are the blocks' columns, end to end; return its digest.

    Holds one block at a time. Each section waits in a nameless file until all are complete.
    """
    with translated(path.name), ExitStack() as stack:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        waiting = {
            name: stack.enter_context(tempfile.TemporaryFile(dir=path.parent)) for name in layout
        }
        for block in blocks:
            for name, column in block.items():
                waiting[name].write(column.astype(layout[name], copy=False).tobytes())
        counts = [
            [name, kind, waiting[name].tell() // np.dtype(kind).itemsize]
            for name, kind in layout.items()
        ]
        return _assemble(path, magic, {"facts": facts, "sections": counts}, list(waiting.values()))


def _assemble(path: Path, magic: bytes, header: dict[str, Any], waiting: list[IO[bytes]]) -> str:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_head(magic, {**header, "sha256": _UNKNOWN_SHA256}))
            body = hashlib.sha256()
            for section in waiting:
                _copy(section, file, body)
            head = _head(magic, {**header, "sha256": body.hexdigest()})
            file.seek(0)
            file.write(head)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _settle(path.parent)
    return hashlib.sha256(head).hexdigest()


def _copy(section: IO[bytes], file: IO[bytes], body: Any) -> None:  # noqa: ANN401 - a hash
    filling = bytes(-section.tell() % _ALIGN)
    section.seek(0)
    while chunk := section.read(_COPY_BYTES):
        file.write(chunk)
        body.update(chunk)
    file.write(filling)
    body.update(filling)


def _settle(folder: Path) -> None:
    """Make a rename survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _head(magic: bytes, header: Mapping[str, Any]) -> bytes:
    assert len(magic) == _MAGIC_BYTES, "a magic has 16 bytes"
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + _MAGIC_BYTES + 4) % _ALIGN)
    assert len(text) <= _HEADER_BYTES_MAX, "a header is short"
    return magic + len(text).to_bytes(4, "little") + text


def read(path: Path, magic: bytes, layout: Layout) -> Sections:
    """Map a file, after all of it was checked against its header.

    Raises ``PlanRefused`` if it is not there, ``Damaged`` if it is anything but what was written.
    """
    data = _mapped(path)
    start = _MAGIC_BYTES + 4
    size = int.from_bytes(data[_MAGIC_BYTES:start].tobytes(), "little")
    if data[:_MAGIC_BYTES].tobytes() != magic or size > _HEADER_BYTES_MAX:
        raise Damaged("this is not a file of its kind and version", file=path.name)
    head = data[: start + size].tobytes()
    body = data[start + size :]
    facts, counts = _parsed(head[start:], body, layout, path.name)
    return Sections(facts, _columns(body, layout, counts), hashlib.sha256(head).hexdigest())


def _mapped(path: Path) -> npt.NDArray[np.uint8]:
    """Map a file of ours: never a link's target, nor what somebody else may write to."""
    if not os.path.lexists(path):
        raise PlanRefused("a file that the plan needs is not there", file=path.name)
    with translated(path.name):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS_MAY_WRITE:
                raise DiskRefused("a file of ours must be ours alone to write", file=path.name)
            if not found.st_size:
                return np.empty(0, dtype=np.uint8)
            return np.memmap(file, dtype=np.uint8, mode="r")


def _parsed(
    text: bytes, body: npt.NDArray[np.uint8], layout: Layout, name: str
) -> tuple[Mapping[str, Any], list[int]]:
    try:
        header = json.loads(text)
        facts, sections, sha256 = header["facts"], header["sections"], header["sha256"]
        counts = [int(count) for _, _, count in sections]
        shapes = {section: kind for section, kind, _ in sections}
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("a header cannot be read", file=name) from error
    sizes = [
        count * np.dtype(kind).itemsize
        for count, kind in zip(counts, layout.values(), strict=False)
    ]
    whole = sum(size + -size % _ALIGN for size in sizes)
    if shapes != dict(layout) or len(counts) != len(layout) or whole != len(body):
        raise Damaged("a file is cut short, or of another layout", file=name)
    if hashlib.sha256(body.data).hexdigest() != sha256:
        raise Damaged("a file is not as it was written", file=name)
    return facts, counts


def _columns(body: npt.NDArray[np.uint8], layout: Layout, counts: list[int]) -> Columns:
    columns = {}
    start = 0
    for (name, kind), count in zip(layout.items(), counts, strict=True):
        size = count * np.dtype(kind).itemsize
        columns[name] = body[start : start + size].view(kind)
        start += size + -size % _ALIGN
    return columns
