"""Rules of the whole suite: examples are not timed, and nobody is called but this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import NOT_RUN, QUICK, Postgres, programs

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

_CONNECT = socket.socket.connect


class Egress(AssertionError):
    """A test called somebody outside of this machine."""


def _only_here(self: socket.socket, address: Any) -> None:
    if self.family in {socket.AF_INET, socket.AF_INET6} and not _loopback(str(address[0])):
        raise Egress("a test may only talk to loopback")
    _CONNECT(self, address)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True, scope="session")
def nobody_else() -> Any:
    """Let every test of this process talk to loopback alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _only_here)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL server for whoever asks; each test makes a database of its own."""
    if programs() is None:
        pytest.skip(NOT_RUN)
    server = Postgres(QUICK)
    yield server
    server.stop()
