"""A wire to a PostgreSQL server that can be cut at the worst moment: around the next commit.

What only reads commits too, and is let through: a transaction that writes leaves a mark first.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Final

_NAME: Final = ".s.PGSQL.5432"
_CHUNK: Final = 65_536


class Cut(Enum):
    """Where the wire is cut."""

    LOST = auto()  #: Before the server hears of the commit.
    PERSISTED = auto()  #: After it committed, before it could say so.
    LATE = auto()  #: Before, as far as the client can see; the server hears of it later.


class LedgerWire:
    """A socket in a folder of its own, in front of that in ``upstream``."""

    def __init__(self, upstream: Path, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="wire"))
        self.folder.mkdir(exist_ok=True)
        self.cuts = 0
        self.late = threading.Event()
        self._upstream = str(upstream / _NAME)
        self.away = False
        self._armed: Cut | None = None
        self._then_away = False
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / _NAME))
        self._listener.listen()
        self._run(self._accept)

    def arm(self, cut: Cut, *, then_away: bool = False) -> None:
        """Cut the next connection that commits, and no other; then let nobody in, if asked."""
        self.late.clear()
        self._then_away = then_away
        self._armed = cut

    def stop(self) -> None:
        """Cut everything, and leave nothing behind."""
        self.late.set()
        for end in (self._listener, *self._ends):
            _close(end)
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            self._ends += [client, server]
            if self.away:
                _close(client)
                continue
            server.connect(self._upstream)
            muted = threading.Event()
            self._run(self._asks, client, server, muted)
            self._run(self._answers, client, server, muted)

    def _asks(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        writes = False
        while told := _received(client):
            writes = writes or b"INSERT INTO marks" in told
            cut = self._armed if writes and b"COMMIT\0" in told else None
            if cut is None:
                if not _sent(server, told):
                    break
                continue
            self._armed = None
            self.away = self._then_away
            self.cuts += 1
            if cut is Cut.PERSISTED:
                muted.set()
                _sent(server, told)
                return
            _close(client)
            if cut is Cut.LATE:
                self.late.wait()
                _sent(server, told)
        _close(server)

    def _answers(
        self, client: socket.socket, server: socket.socket, muted: threading.Event
    ) -> None:
        while (told := _received(server)) and not muted.is_set() and _sent(client, told):
            pass
        _close(client)
        if muted.is_set():
            _close(server)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(_CHUNK)
    except OSError:
        return b""


def _sent(end: socket.socket, told: bytes) -> bool:
    try:
        end.sendall(told)
    except OSError:
        return False
    return True


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
