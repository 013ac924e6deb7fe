"""Rules of the whole suite: examples are not timed, nobody is called but this machine.

What was tried by fire is counted in whichever process tried it, and told at the end of the run.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.fire.counts import COUNTS
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that leads what was tried in this one, where several share the suite."""
    told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["fire"] = COUNTS.told()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what another process tried."""
    COUNTS.heard(getattr(node, "workeroutput", {}).get("fire", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was tried, and how often."""
    if not COUNTS.kinds:
        return
    terminalreporter.section("under fire")
    terminalreporter.write_line(f"kills: {COUNTS.kills}, violations: {COUNTS.violations}")
    for line in COUNTS.table():
        terminalreporter.write_line(f"  {line}")
