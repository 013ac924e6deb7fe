"""HTTP/1.1 as bytes on a wire: requests and answers, read whole and written as they are.

No library stands between, because a fault is just what a library would not send.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from http import HTTPStatus

HEAD_BYTES = 64 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect", "content-length"})

_KNOWN = frozenset(HTTPStatus)

Headers = tuple[tuple[str, str], ...]


class Broken(Exception):
    """The other side went away, or does not speak HTTP."""


@dataclass(frozen=True)
class Request:
    """One request, whole."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return _header(self.headers, name)

    def lines(self) -> bytes:
        """The request as it is sent on: the same but for what concerns one connection."""
        kept = [(name, value) for name, value in self.headers if name.lower() not in _HOP]
        length = [("Content-Length", str(len(self.body)))] if self._has_body() else []
        headers = [*kept, *length, ("Connection", "close")]
        return f"{self.method} {self.target} HTTP/1.1\r\n".encode() + _lines(headers) + self.body

    def _has_body(self) -> bool:
        return bool(self.body) or self.method in ("PUT", "POST")


@dataclass(frozen=True)
class Answer:
    """One answer, whole. ``length`` is what it says of its body, whatever that body is."""

    status: int
    headers: Headers
    body: bytes
    length: int

    def header(self, name: str) -> str | None:
        return _header(self.headers, name)

    def with_header(self, name: str, value: str) -> Answer:
        """The same with another value of a header that it has."""
        changed = [(n, value if n.lower() == name.lower() else v) for n, v in self.headers]
        return replace(self, headers=tuple(changed))

    def head(self) -> bytes:
        """Status line and headers."""
        phrase = HTTPStatus(self.status).phrase if self.status in _KNOWN else "Unknown"
        headers = [*self.headers, ("Content-Length", str(self.length))]
        return f"HTTP/1.1 {self.status} {phrase}\r\n".encode() + _lines(headers)


def answer(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Answer:
    """Make up an answer that is what it says."""
    return Answer(status, headers, body, len(body))


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """Return the next request of a connection, or None where it ends."""
    first, headers = await _head(reader, may_end=True)
    if not first:
        return None
    method, target, _ = first.split(" ", 2)
    if (_header(headers, "Expect") or "").lower() == "100-continue":
        writer.write(CONTINUE)
        await writer.drain()
    body = await _body(reader, headers, until_end=False)
    return Request(method, target, headers, body)


async def read_answer(reader: asyncio.StreamReader, request: Request) -> Answer:
    """Return the answer to ``request``, whole."""
    status, headers = await _status(reader)
    while status == 100:
        status, headers = await _status(reader)
    kept = tuple((name, value) for name, value in headers if name.lower() not in _HOP)
    said = _header(headers, "Content-Length")
    if request.method == "HEAD" or status in (204, 304):
        return Answer(status, kept, b"", int(said or 0))
    body = await _body(reader, headers, until_end=True)
    return Answer(status, kept, body, len(body))


async def _status(reader: asyncio.StreamReader) -> tuple[int, Headers]:
    first, headers = await _head(reader, may_end=False)
    return int(first.split(" ", 2)[1]), headers


async def _head(reader: asyncio.StreamReader, *, may_end: bool) -> tuple[str, Headers]:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if may_end and not error.partial:
            return "", ()
        raise Broken("a head ends early") from error
    except asyncio.LimitOverrunError as error:
        raise Broken("a head does not end") from error
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, tuple((name.strip(), value.strip()) for name, _, value in pairs)


async def _body(reader: asyncio.StreamReader, headers: Headers, *, until_end: bool) -> bytes:
    if (_header(headers, "Transfer-Encoding") or "").lower() == "chunked":
        return await _chunked(reader)
    said = _header(headers, "Content-Length")
    if said is None:
        return await reader.read() if until_end else b""
    try:
        return await reader.readexactly(int(said))
    except asyncio.IncompleteReadError as error:
        raise Broken("a body ends early") from error


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (await reader.readuntil(b"\r\n")) != b"\r\n":
        pass
    return bytes(body)


def _header(headers: Headers, name: str) -> str | None:
    return next((v for n, v in headers if n.lower() == name.lower()), None)


def _lines(headers: list[tuple[str, str]]) -> bytes:
    return "".join(f"{n}: {v}\r\n" for n, v in headers).encode("latin-1") + b"\r\n"
