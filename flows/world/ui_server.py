"""Prefect's server as the desk wants it: it answers this machine alone, and its pages call nobody.

Prefect's second UI asks a vendor for settings of its telemetry whether or not telemetry is on. A
content security policy on every answer keeps browsers from that, and from anything else that is
not this server; a check of the Host header keeps foreign pages from it by way of their own name.
"""

from __future__ import annotations

import sys
from typing import Final

import uvicorn
from prefect.server.api.server import create_app
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST: Final = "127.0.0.1"
NAMES: Final = (HOST, "localhost")


class ToNobody:
    """Adds a policy to every answer: load from here, and talk to here."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        here = " ".join(f"ws://{name}:{port}" for name in NAMES)
        self._policy = (
            "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
            f"connect-src 'self' {here}; "
            "frame-ancestors 'none'; form-action 'self'"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = self._policy
            await send(message)

        await self._app(scope, receive, answer if scope["type"] == "http" else send)


def serve(port: int) -> None:
    """Serve until told to end."""
    guarded = TrustedHostMiddleware(create_app(final=True), list(NAMES))
    uvicorn.run(ToNobody(guarded, port), host=HOST, port=port, log_level="warning")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
