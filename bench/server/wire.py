"""HTTP/1.1 as far as S3 clients speak it: requests read, bodies received, answers sent.

A body goes from the socket to its file through one small buffer, and from its file to the socket
by ``sendfile``; a signed or checksummed body in chunks (``aws-chunked``) is unwrapped on its way.
Source: RFC 9112; AWS "Signature calculations, transferring payload in multiple chunks".
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from bench.server.shelf import Piece

BUFFER_BYTES: Final = 256 * 1024
HEAD_BYTES_MAX: Final = 64 * 1024
_REASONS: Final = {200: "OK", 204: "No Content", 206: "Partial Content", 304: "Not Modified"}

Sees = Callable[[memoryview], object]
"""Is shown each stretch of a body as it arrives."""


class Gone(Exception):
    """The client went away, or speaks no HTTP."""


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
        self._ahead = b""
        self._buffer = bytearray(BUFFER_BYTES)

    def request(self) -> Request:
        """Read the head of the next request. Raises ``Gone``."""
        head = self._until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
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
        length = int(request.headers.get("content-length", "0"))
        if not request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
            self._pass(length, into)
            return length
        size = 0
        while (chunk := int(self._until(b"\r\n").split(b";")[0], 16)) > 0:
            self._pass(chunk, into)
            self._until(b"\r\n")
            size += chunk
        while self._until(b"\r\n"):  # Trailers.
            pass
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

    def _until(self, mark: bytes) -> bytes:
        """Return what comes before ``mark``, and pass it."""
        while mark not in self._ahead:
            if len(self._ahead) > HEAD_BYTES_MAX:
                raise Gone
            more = self._socket.recv(HEAD_BYTES_MAX)
            if not more:
                raise Gone
            self._ahead += more
        found, _, self._ahead = self._ahead.partition(mark)
        return found

    def _pass(self, length: int, into: Iterable[Sees]) -> None:
        view = memoryview(self._buffer)
        while length > 0:
            some = self._some(view[: min(length, BUFFER_BYTES)])
            for sees in into:
                sees(some)
            length -= len(some)

    def _some(self, room: memoryview) -> memoryview:
        if self._ahead:
            taken = self._ahead[: len(room)]
            self._ahead = self._ahead[len(taken) :]
            room[: len(taken)] = taken
            return room[: len(taken)]
        got = self._socket.recv_into(room)
        if got == 0:
            raise Gone
        return room[:got]
