"""HTTP/1.1 as far as S3 clients speak it: requests read, bodies received, answers sent.

A body goes from the socket to its file through one small buffer, and from its file to the socket
by ``sendfile``; a signed or checksummed body in chunks (``aws-chunked``) is unwrapped on its way.
Source: RFC 9112; AWS "Signature calculations, transferring payload in multiple chunks".
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from bench.server.shelf import Piece
from bench.server.stream import Gone, Incoming, Limited, Stream, Unchunked

BUFFER_BYTES: Final = 256 * 1024
_REASONS: Final = {200: "OK", 204: "No Content", 206: "Partial Content", 304: "Not Modified"}

Sees = Callable[[memoryview], object]
"""Is shown each stretch of a body as it arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked; header names are in lower case."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered: text, or pieces of files with the range ``start`` to ``stop`` of them."""

    status: int = 200
    headers: Mapping[str, str]
    text: bytes = b""
    pieces: tuple[Piece, ...] = ()
    start: int = 0
    stop: int = 0

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return self.stop - self.start if self.pieces else len(self.text)


class Wire:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._incoming = Incoming(connection)
        self._body: Stream = Limited(self._incoming, 0)
        self._buffer = bytearray(BUFFER_BYTES)

    def request(self) -> Request:
        """Read the head of the next request, past what is left of the last. Raises ``Gone``."""
        while self._body.some(memoryview(self._buffer)):
            pass
        head = self._incoming.until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = int(headers.get("content-length", "0"))
        self._body = Unchunked(self._incoming) if chunked else Limited(self._incoming, length)
        parts = urlsplit("//host" + target if target.startswith("/") else target)
        bucket, _, key = parts.path.removeprefix("/").partition("/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Request(
            method=method, bucket=unquote(bucket), key=unquote(key), query=query, headers=headers
        )

    def receive(self, request: Request, *into: Sees) -> int:
        """Show the body of ``request`` to each of ``into``, and return its size."""
        if request.headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        wrapped = request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
        body = Unchunked(self._body) if wrapped else self._body
        size = 0
        while some := body.some(memoryview(self._buffer)):
            size += len(some)
            for sees in into:
                sees(some)
        return size

    def text(self, request: Request) -> bytes:
        """Return a body that is a document."""
        whole = bytearray()
        self.receive(request, whole.extend)
        return bytes(whole)

    def answer(self, answer: Answer, *, with_body: bool) -> None:
        """Send an answer; ``with_body`` False for HEAD."""
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Told')}"]
        headers = {"Content-Length": str(answer.length), **answer.headers}
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if not with_body or not answer.pieces:
            self._socket.sendall(head + (answer.text if with_body else b""))
            return
        self._socket.sendall(head, socket.MSG_MORE)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        base = 0
        for piece in answer.pieces:
            start, stop = max(answer.start - base, 0), min(answer.stop - base, piece.size)
            base += piece.size
            if start < stop:
                self._send_file(piece.path, start, stop)

    def _send_file(self, path: Path, start: int, stop: int) -> None:
        source = os.open(path, os.O_RDONLY)
        try:
            while start < stop:
                sent = os.sendfile(self._socket.fileno(), source, start, stop - start)
                if sent == 0:
                    raise Gone
                start += sent
        finally:
            os.close(source)
