"""Streams of bytes: a connection, and what is wrapped in chunks inside of another stream.

Chunks are those of HTTP (RFC 9112, 7.1), or Amazon's inside of a body (``aws-chunked``); some
clients send the one in the other.
"""

from __future__ import annotations

import socket
from typing import Final

AHEAD_BYTES_MAX: Final = 64 * 1024


class Gone(Exception):
    """The client went away, or speaks no HTTP."""


class Stream:
    """Bytes that may be taken as they come, or up to a mark."""

    def __init__(self) -> None:
        self._ahead = b""

    def some(self, room: memoryview) -> memoryview:
        """Fill some of ``room`` and return what is filled: nothing at the end."""
        if not self._ahead:
            return room[: self._fill(room)]
        taken = self._ahead[: len(room)]
        self._ahead = self._ahead[len(taken) :]
        room[: len(taken)] = taken
        return room[: len(taken)]

    def until(self, mark: bytes) -> bytes:
        """Return what comes before ``mark``, and pass it. Raises ``Gone``."""
        room = memoryview(bytearray(AHEAD_BYTES_MAX))
        while mark not in self._ahead:
            got = self._fill(room)
            if got == 0 or len(self._ahead) > AHEAD_BYTES_MAX:
                raise Gone
            self._ahead += room[:got]
        found, _, self._ahead = self._ahead.partition(mark)
        return found

    def _fill(self, room: memoryview) -> int:
        raise NotImplementedError


class Incoming(Stream):
    """What comes over a connection."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection

    def _fill(self, room: memoryview) -> int:
        return self._connection.recv_into(room)


class Limited(Stream):
    """So many bytes of another stream. Raises ``Gone`` where that has fewer."""

    def __init__(self, inner: Stream, length: int) -> None:
        super().__init__()
        self._inner = inner
        self._left = length

    def _fill(self, room: memoryview) -> int:
        if self._left == 0:
            return 0
        got = len(self._inner.some(room[: self._left]))
        if got == 0:
            raise Gone
        self._left -= got
        return got


class Unchunked(Stream):
    """What is wrapped in chunks in another stream; trailers are passed over."""

    def __init__(self, inner: Stream) -> None:
        super().__init__()
        self._inner = inner
        self._left = 0
        self._begun = self._ended = False

    def _fill(self, room: memoryview) -> int:
        if self._left == 0:
            self._next()
        if self._ended:
            return 0
        got = len(self._inner.some(room[: self._left]))
        if got == 0:
            raise Gone
        self._left -= got
        return got

    def _next(self) -> None:
        if self._ended:
            return
        if self._begun:
            self._inner.until(b"\r\n")
        self._begun = True
        self._left = int(self._inner.until(b"\r\n").split(b";")[0], 16)
        if self._left == 0:
            self._ended = True
            while self._inner.until(b"\r\n"):
                pass
