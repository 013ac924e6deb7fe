"""A thing in the way of a store: it forwards, remembers, refuses, is away, or lies.

A store behind it needs no change, and neither does whoever speaks to it.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

DENIED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})

Rule = Callable[[str, str], bool]
"""Whether a request, by its method and path, is let through."""


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Teller = Callable[[tuple[str, int], BaseHTTPRequestHandler, bytes], Answer]
"""Answers a request that has a body, mostly by asking the store behind; it may be a lie."""


class Asked(NamedTuple):
    """One request and its answer."""

    method: str
    path: str
    status: int


def everything(_method: str, _path: str) -> bool:
    """Let all through."""
    return True


def reads_alone(method: str, _path: str) -> bool:
    """Let through what changes nothing."""
    return method in ("GET", "HEAD")


class Proxy:
    """A server on a free port of loopback, in front of ``upstream``."""

    def __init__(self, upstream: str, permits: Rule = everything) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.permits = permits
        self.tells: Teller = forwarded
        self.asked: list[Asked] = []
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self._lock = threading.Lock()
        self.begin()

    @property
    def url(self) -> str:
        """Where it answers, and will answer again after it was away."""
        return f"http://127.0.0.1:{self._port}"

    def puts(self, status: int = 200) -> list[str]:
        """Paths of the puts with that answer, the oldest first."""
        return [it.path for it in self.asked if it.method == "PUT" and it.status == status]

    def begin(self) -> None:
        """Listen, on the same port as before."""
        assert self._server is None, "it listens already"
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        """Listen no more: whoever comes now is refused the connection."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


@contextmanager
def proxied(upstream: str, permits: Rule = everything) -> Iterator[Proxy]:
    """Stand in the way for the length of a ``with`` block."""
    proxy = Proxy(upstream, permits)
    try:
        yield proxy
    finally:
        proxy.end()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(_Forwards):
        def ask(self, body: bytes) -> Answer:
            if proxy.permits(self.command, self.path):
                return proxy.tells(proxy.upstream, self, body)
            return refused(403, DENIED)

        def remember(self, status: int) -> None:
            proxy.asked.append(Asked(self.command, self.path, status))

    return Handler


class _Forwards(BaseHTTPRequestHandler):
    """One request per connection, so that a proxy that ended has nothing left to say."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def ask(self, body: bytes) -> Answer:
        raise NotImplementedError

    def remember(self, status: int) -> None:
        raise NotImplementedError

    def answer(self) -> None:
        self.close_connection = True
        told = self.ask(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.remember(told.status)
        self.send_response_only(told.status)
        for name, value in [*told.headers, ("Connection", "close")]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was asked is remembered instead."""


def refused(status: int, document: bytes) -> Answer:
    """Answer with an error that the store behind knows nothing of."""
    return Answer(status, [("Content-Length", str(len(document)))], document)


def forwarded(upstream: tuple[str, int], request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """Ask ``upstream`` the very same, byte for byte as to path and headers."""
    connection = http.client.HTTPConnection(*upstream, timeout=60)
    with closing(connection):
        connection.putrequest(
            request.command, request.path, skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers.items():
            if name.lower() not in _HOP:
                connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
    headers = [(n, v) for n, v in response.getheaders() if n.lower() not in _HOP]
    if response.getheader("Content-Length") is None:
        headers.append(("Content-Length", str(len(content))))
    return Answer(response.status, headers, content)
