"""Prefect's server or worker dies, with the flow's process or without: the run is taken up."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.world import desk as desks
from flows.world.desk import Desk
from tests.fire.trials import Range, firing
from tests.fire.world import CREDENTIALS, Ground
from tests.live.at_a_desk import Person, until

PUTS = 3
"""A run is under way once it has put so many."""
KIND = "killed: Prefect's server or worker"


@dataclass(frozen=True)
class Office:
    """A desk before a world of trials."""

    fire: Range
    person: Person
    ground: Ground

    @property
    def desk(self) -> Desk:
        return self.person.desk

    def cleared(self) -> None:
        """Begin anew: homes empty, the plan made, nothing moved."""
        self.fire.world.wipe()
        self.ground.lay()

    def under_way(self) -> Any:
        """Start the deployment, and return when its run is amid its work."""
        before = self.fire.world.puts()
        run = self.person.starts("migrate", mode="live")
        until(lambda: True if self.fire.world.puts() >= before + PUTS else None)
        return run

    def status(self) -> dict[str, Any]:
        """Ask for the status, as an operator does."""
        told: dict[str, Any] = json.loads(self.person.types("status", "--json").stdout)
        return told

    def nobody_works(self) -> None:
        """Wait until the run of the ledger has ended, or its process is seen to be gone."""

        def over() -> bool | None:
            told = self.status()
            return True if told["gone"] or told["run"]["state"] != "running" else None

        until(over)

    def carries_on(self) -> None:
        """Start the deployment again, and check what must hold when it has ended."""
        ended = self.person.waits_for(self.person.starts("migrate", mode="live"))
        assert ended.state is not None
        assert ended.state.name == "Incomplete", "some records wait for a person"
        self.fire.judge.holds(self.ground)


def below(pid: int) -> Iterator[int]:
    """Yield every process below one."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for number in map(int, file.read_text().split()):
            yield number
            yield from below(number)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with pytest.MonkeyPatch.context() as patch, firing(folder) as fire:
        for name, text in CREDENTIALS.items():
            patch.setenv(name, text)
        patch.setenv("TMPDIR", str(folder))  # Whoever is killed leaves things there.
        ground = fire.world.ground("world", fire.world.tree(None, "processes", {}))
        (folder / "port").write_text(f"{desks._free(0)}\n")
        desk = Desk(folder)
        try:
            desks.serve(desk)
            desks.ready(desk)
            desks.register(desk)
            desks.staff(desk)
            yield Office(fire, Person(desk), ground)
        finally:
            desk.worker.stop()
            desk.server.stop()


def test_a_machine_that_was_lost_is_told_and_its_run_is_taken_over_at_once(office: Office) -> None:
    with office.fire.counts.trial(KIND, "worker and flow") as count:
        office.cleared()
        lost = office.under_way()
        for number in [office.desk.worker.pid, *below(office.desk.worker.pid)]:
            os.kill(number, signal.SIGKILL)
        count.struck += 1
        office.nobody_works()
        told = office.status()
        assert (told["run"]["state"], told["gone"]) == ("running", True)
        assert "its process is gone" in office.person.types("status").stdout
        state = office.person.sees(lost).state
        assert state is not None
        assert state.name == "Running", "Prefect does not know"
        desks.staff(office.desk)
        office.carries_on()
        assert not office.status()["gone"]


def test_a_run_whose_worker_died_alone_stops_by_itself_and_is_carried_on(office: Office) -> None:
    with office.fire.counts.trial(KIND, "worker alone") as count:
        office.cleared()
        run = office.under_way()
        os.kill(office.desk.worker.pid, signal.SIGKILL)
        count.struck += 1
        office.nobody_works()
        assert office.person.waits_for(run).state is not None, "Prefect hears of its end"
        desks.staff(office.desk)
        office.carries_on()


def test_a_run_whose_server_died_goes_on_and_tells_the_next_how_it_ended(office: Office) -> None:
    with office.fire.counts.trial(KIND, "server") as count:
        office.cleared()
        run = office.under_way()
        os.killpg(office.desk.server.pid, signal.SIGKILL)
        count.struck += 1
        until(lambda: None if office.desk.server.alive else True)
        desks.serve(office.desk)
        desks.ready(office.desk)
        office.nobody_works()
        assert office.person.waits_for(run).state is not None, "it tells the server that came back"
        office.carries_on()
