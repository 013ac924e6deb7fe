"""What the trials by fire share: one S3 server, and a fault proxy in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fire.proxy import FaultProxy, proxied
from tests.fire.store import s3_server


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
