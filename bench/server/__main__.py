"""Serves S3 on a free port of loopback until its standard input closes.

``python -m bench.server FOLDER [INDEX …]``: objects that are put lie in FOLDER; each INDEX names
a bucket that stands already. The port is the first line that it prints.
"""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path

from bench.server import documents
from bench.server.desk import Desk
from bench.server.shelf import Refusal, Shelf
from bench.server.stream import Gone
from bench.server.wire import Answer, Wire


def main(folder: str, *indexes: str) -> None:
    """Serve until nobody needs it."""
    shelf = Shelf(Path(folder))
    for index in indexes:
        shelf.load(Path(index))
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads this
    threading.Thread(target=_accept, args=(listener, Desk(shelf)), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket, desk: Desk) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, desk), daemon=True).start()


def _serve(connection: socket.socket, desk: Desk) -> None:
    with connection, suppress(Gone, OSError):
        wire = Wire(connection)
        while True:
            request = wire.request()
            try:
                answer, open_ = desk.answer(request, wire), True
            except Refusal as refusal:
                answer, open_ = documents.refused(refusal), request.method in ("GET", "HEAD")
            _tell(wire, answer, request.method != "HEAD", open_)
            if not open_ or request.headers.get("connection", "").lower() == "close":
                return


def _tell(wire: Wire, answer: Answer, with_body: bool, open_: bool) -> None:  # noqa: FBT001
    stamp = {"Date": formatdate(usegmt=True), "Server": "bench"}
    stamp |= {} if open_ else {"Connection": "close"}
    wire.answer(
        Answer(
            status=answer.status,
            headers={**stamp, **answer.headers},
            text=answer.text,
            pieces=answer.pieces,
            start=answer.start,
            stop=answer.stop,
        ),
        with_body=with_body,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
