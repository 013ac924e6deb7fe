"""A storm of SlowDown: all requests, then half of them, then none. The run ends, and asks less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fire.faults import Fault
from tests.fire.ground import Ground
from tests.fire.matrix import environment
from tests.fire.proxy import FaultProxy, Rule
from tests.fire.store import plain_client, s3_server

CLEAN_REQUESTS_MAX = 150
ATTEMPTS = 12
MIDWAY, BURST, STORM = 40, 10, 12
"""Past so many requests so many are refused in a row, fewer than one call may be made; then of
those that follow each second one, until there were so many."""


@pytest.fixture
def ground(proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with s3_server() as url, plain_client(url) as s3:
        upstream, proxy.upstream = proxy.upstream, address(url)
        ground = Ground(tmp_path, s3, proxy.url, {"attempts": ATTEMPTS})
        ground.lay()
        ground.begin()
        yield ground
        proxy.upstream = upstream


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def test_a_storm_is_outlived_within_one_run_and_requests_stay_bounded(
    ground: Ground, proxy: FaultProxy
) -> None:
    fault = (Fault.SLOW_DOWN,)
    ground.trust()
    proxy.forget()
    proxy.rules = [
        Rule(fault, after=MIDWAY, times=BURST),
        Rule(fault, after=MIDWAY, times=STORM, share=0.5),
    ]
    assert ground.work().complete
    assert ground.at_home() == ground.expected()
    injected = proxy.injected.total()
    assert injected == BURST + STORM
    assert proxy.asked.total() <= CLEAN_REQUESTS_MAX + injected


def test_a_storm_without_an_end_ends_the_run_by_name_after_as_many_attempts_as_were_agreed(
    ground: Ground, proxy: FaultProxy
) -> None:
    proxy.rules = [Rule((Fault.SLOW_DOWN,), times=None)]
    assert ground.work().told == "Throttled: the store asks for fewer requests"
    assert proxy.asked.total() == ATTEMPTS
    proxy.rules = []
    assert ground.work().complete
    assert ground.at_home() == ground.expected()
