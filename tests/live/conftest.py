"""One S3 server for the whole run, on a free port of loopback, with a bucket for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from moto.server import ThreadedMotoServer

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The URL of a running S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def fresh_name() -> str:
    """A bucket's name that nobody had before."""
    return f"bucket-{next(_NUMBERS)}"


@pytest.fixture(autouse=True)
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials by reference, as everywhere: these are the variables that tests name."""
    monkeypatch.setenv("LIVE_TEST_ACCESS_KEY_ID", "AKIALIVETEST")
    monkeypatch.setenv("LIVE_TEST_SECRET_ACCESS_KEY", "not a secret")
