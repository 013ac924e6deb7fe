"""What the trials by fire share: servers, a fault proxy, and a range."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fire.proxy import FaultProxy, proxied
from tests.fire.store import s3_server
from tests.fire.trials import Range, firing
from tests.fire.world import CREDENTIALS


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """The URL of an S3 server."""
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def standing_proxy(store: str) -> Iterator[FaultProxy]:
    """One proxy for all trials of this process."""
    with proxied(store, seed=20_261_123) as proxy:
        yield proxy


@pytest.fixture
def proxy(standing_proxy: FaultProxy) -> Iterator[FaultProxy]:
    """A proxy without rules or memories."""
    standing_proxy.forget()
    yield standing_proxy
    standing_proxy.forget()


@pytest.fixture(scope="session")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Range]:
    """A world, a driver and a judge. Each trial begins with empty homes."""
    with firing(tmp_path_factory.mktemp("fire")) as range_:
        yield range_


@pytest.fixture(autouse=True)
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge opens houses as well, and they have credentials by reference."""
    for name, text in CREDENTIALS.items():
        monkeypatch.setenv(name, text)
