"""Stripes on a Dask cluster: the same receipts, and a worker that dies loses nothing."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster
from typer.testing import CliRunner

from flows.command.app import app
from flows.conduct import Conductor
from flows.dask_team import LedgerElsewhere, refuse_far_ledger, this_machine
from flows.jobs import Mode, Order
from flows.migrate import migrate
from flows.onlooker import Onlooker, watched_by
from flows.parameters import MigrateRequest
from flows.wiring import open_house
from tests.flows.small_world import MOVING, READ, SmallWorld, made
from tests.flows.watchers import Quiet

LIVE = MigrateRequest(mode=Mode.LIVE)
MORE = 2
"""Objects of one record each, besides those of the small world: stripes to share."""


@pytest.fixture
def world(world: SmallWorld) -> SmallWorld:
    """A world of several stripes."""
    return larger(world)


def larger(world: SmallWorld) -> SmallWorld:
    world.configure(limits={"workers": 2, "stripe_slices": 1})
    for number in range(MORE):
        world.put_copy(f"more-{number}")
    return world


@pytest.fixture
def twin(world: SmallWorld, s3_server: str, tmp_path: Path) -> Iterator[SmallWorld]:
    """The same world once more, with another home and ledger, and the same key."""
    with made(s3_server, tmp_path / "twin" / "config") as small:
        world.init()
        small.folder.with_name("state").mkdir(mode=0o700)
        key = "state/repatria.key"
        shutil.copy(world.folder.parent / key, small.folder.parent / key)
        yield larger(small)


@pytest.fixture
def cluster(world: SmallWorld) -> Iterator[LocalCluster]:
    """A cluster that stands, of two worker processes, which have the world's credentials."""
    scratch = str(world.folder.with_name("dask"))
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        local_directory=scratch,
        scheduler_kwargs={"local_directory": scratch},
    ) as cluster:
        yield cluster


def run(flow: Any, request: Any, watcher: Quiet | None = None) -> Any:
    onlooker = Onlooker(watcher or Quiet(), threading.Event())
    with watched_by(onlooker):
        flow(request, return_state=True)
    if onlooker.error is not None:
        raise onlooker.error
    return onlooker.result


def receipts(world: SmallWorld) -> list[Any]:
    with open_house(world.folder) as house:
        return [
            (it.batch, it.census, [(at.region, at.rows, at.sha256) for at in it.lines])
            for it in house.ledger(read_only=True).receipts()
        ]


@pytest.mark.usefixtures("prefect_server")
def test_two_worker_processes_end_with_the_same_receipts_as_one(
    world: SmallWorld, twin: SmallWorld
) -> None:
    twin.plan()
    with open_house(twin.folder) as house:
        one = Conductor(house, Quiet()).move(Order(mode=Mode.LIVE))
    world.configure(runner={"kind": "dask"})
    world.plan()
    two = run(migrate, LIVE)
    assert receipts(world) == receipts(twin)
    for name in ("exit_code", "tally", "accounts", "moved", "quarantine", "audit"):
        assert getattr(two, name) == getattr(one, name), name
    assert two.tally["read"] == READ + MORE


class Murderer(Quiet):
    """Kills a process at the first batch that it hears of."""

    def __init__(self, victims: list[int]) -> None:
        self.victims = victims

    def batch(self, *_told: Any) -> None:
        if self.victims:
            os.kill(self.victims.pop(), signal.SIGKILL)


@pytest.mark.usefixtures("prefect_server")
def test_a_worker_that_is_killed_loses_nothing(world: SmallWorld, cluster: LocalCluster) -> None:
    world.configure(runner={"kind": "dask", "address": cluster.scheduler_address})
    world.plan()
    victims = [worker.pid for worker in list(cluster.workers.values())[:1]]
    outcome = run(migrate, LIVE, Murderer(victims))
    assert victims == []
    assert {it.region: it.rows for it in outcome.moved if it.rows} == {**MOVING, "IE": 10 + MORE}
    assert set(outcome.audit.values()) == {0}
    assert len(receipts(world)) == 2 + MORE


def test_without_a_prefect_api_nothing_begins_and_what_to_do_is_said(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    world.plan()
    world.configure(runner="dask")
    refused = CliRunner().invoke(app, ["migrate", "--live"])
    assert refused.exit_code == 10
    assert "PREFECT_API_URL" in refused.stderr
    with open_house(world.folder) as house:
        assert house.ledger(read_only=True).runs() == []


def test_a_ledger_in_a_file_is_no_ledger_for_another_machine(world: SmallWorld) -> None:
    with open_house(world.folder) as house:
        refuse_far_ledger(house, this_machine())
        with pytest.raises(LedgerElsewhere):
            refuse_far_ledger(house, "another boot")
