"""One S3 site: moto's server on a free loopback port, quiet, with a log of its requests.

The log has one line per answered request, ``METHOD path status``, written with one system call
each, so that a test may ask the store itself what was put, and how often.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import ClassVar

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server


class _Handler(MotoRequestHandler):
    """Keeps connections open, logs to a file, and sends at once: a put waits for its 100."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    log_fd: ClassVar[int] = -1

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        line = f"{self.command} {self.path} {int(code)}\n"
        os.write(self.log_fd, line.encode("utf-8", "surrogateescape"))

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: the answer says what went wrong."""


def make_site(log: Path) -> BaseWSGIServer:
    """Bind a server to a free port of loopback; its ``port`` is known, nothing is served yet."""
    logging.getLogger("werkzeug").disabled = True
    _Handler.log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    application = DomainDispatcherApplication(create_backend_app)
    return make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Handler)
