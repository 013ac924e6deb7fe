"""Answers whose headers came to their end: those of a connection that broke amid them are none.

The standard library takes the end of a connection for the end of the headers (``http.client``,
``_read_headers``). An answer to a put that lacks the last of them may lack the version that was
written, or have half of it; read back by its ETag alone nobody would notice.
"""

from __future__ import annotations

from http.client import HTTPResponse, RemoteDisconnected
from typing import Any

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection


class WholeHead(HTTPResponse):
    """An answer that is refused if its headers were cut."""

    def begin(self) -> None:
        """Read status and headers. Raises ``RemoteDisconnected`` where they do not end."""
        file: Any = self.fp
        lines: Any = _Lines(file)
        self.fp = lines
        try:
            super().begin()
        finally:
            if self.fp is lines:
                self.fp = file
        if not lines.last:
            self.close()
            raise RemoteDisconnected("the connection ended amid the headers")


class _Lines:
    """A file of which it is remembered whether its last line was the end of the file."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - whatever a socket makes
        self.file = file
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self.file.readline(limit)
        self.last = line
        return line

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a file has
        return getattr(self.file, name)


def insist() -> None:
    """Let the SDK's connections take no answer for one whose headers were cut."""
    for connection in (AWSHTTPConnection, AWSHTTPSConnection):
        connection.response_class = WholeHead  # type: ignore[assignment]
