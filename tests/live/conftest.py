"""What the live tests share: an S3 server with a bucket for whoever asks, and an embedded world."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from flows.world.seed import USERS_MIN, seed_world
from flows.world.servers import World, embedded
from tests.live import other_servers
from tests.live.console import Console

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The URL of a running S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def ministack_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running S3 server by other authors, which checks digests."""
    with other_servers.ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture
def fresh_name() -> str:
    """A bucket's name that nobody had before."""
    return f"bucket-{next(_NUMBERS)}"


@pytest.fixture(autouse=True)
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials by reference, as everywhere: these are the variables that tests name."""
    monkeypatch.setenv("LIVE_TEST_ACCESS_KEY_ID", "AKIALIVETEST")
    monkeypatch.setenv("LIVE_TEST_SECRET_ACCESS_KEY", "not a secret")


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of five servers, full of people. Each test writes below a root of its own."""
    with embedded(tmp_path_factory.mktemp("world")) as world:
        seed_world(world, USERS_MIN)
        yield world


@pytest.fixture
def console(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Console:
    """Runs our commands, with nobody's Prefect, on a configuration that is yet to be written."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "no-profiles.toml"))
    return Console(tmp_path / "config", capfd, monkeypatch)
