"""A whole move on servers by other authors: one that is good, and one that ignores conditions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.live import other_servers, two_stores
from tests.live.console import Console
from tests.live.two_stores import TwoStores, irish

REFUSED = 10


@pytest.fixture
def good(ministack_endpoint: str, fresh_name: str, console: Console) -> Iterator[TwoStores]:
    with two_stores.opened(ministack_endpoint, fresh_name, console.config.parent) as stores:
        console.expect(0, "init")
        yield stores


@pytest.fixture
def careless(
    tmp_path_factory: pytest.TempPathFactory, s3_endpoint: str, fresh_name: str, console: Console
) -> Iterator[TwoStores]:
    """A home on a server that ignores conditions, and says what S3 says in us-east-1."""
    with ExitStack() as stack:
        url = stack.enter_context(other_servers.rclone(tmp_path_factory.mktemp("rclone")))
        folder = console.config.parent
        stores = stack.enter_context(
            two_stores.opened(s3_endpoint, fresh_name, folder, (url, "us-east-1"))
        )
        console.expect(0, "init")
        yield stores


def grades(console: Console) -> dict[str, str]:
    told = json.loads(console.run("doctor", "--json").out)
    return {finding["about"]: finding["grade"] for finding in told["findings"]}


def test_on_a_good_server_all_arrives_and_a_second_run_puts_nothing(
    good: TwoStores, console: Console
) -> None:
    found = grades(console)
    assert found["dublin: checksums"] == "well"
    assert {about for about, grade in found.items() if grade not in ("well", "note")} == {
        "dublin: versions"
    }
    console.expect(0, "plan")
    console.expect(0, "rehearse")
    assert good.puts() == []
    console.expect(0, "migrate", "--live")
    assert good.home() == irish()
    console.expect(0, "verify")
    put = len(good.puts())
    console.expect(0, "migrate", "--live")
    assert len(good.puts()) == put


def test_a_server_that_ignores_conditions_is_refused_before_the_first_byte(
    careless: TwoStores, console: Console
) -> None:
    found = grades(console)
    assert {found[f"dublin: {name}"] for name in ("If-None-Match", "If-Match")} == {"ill"}
    assert found["dublin: listing"] == "ill", "an empty page of it does not say that it is one"
    console.expect(0, "plan")
    refused = console.expect(REFUSED, "migrate", "--live")
    assert "If-None-Match" in refused.said
    assert "repatria doctor" in refused.said
    assert careless.puts() == []
