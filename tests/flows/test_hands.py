"""Runs whose decoding is done by processes of its own: what ends one of them ends nothing else."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.conduct import Conductor
from flows.hands.deaths import HandsLost
from flows.hands.hand import PROGRAM
from flows.jobs import Mode, Order
from flows.report.outcome import Outcome
from flows.wiring import open_house
from repatria.errors import Stopped
from repatria.names import SiteName
from repatria.ports.ledger import Failure, FailureKind
from tests.flows import poisoned_hand
from tests.flows.small_world import MOVING, READ, SmallWorld
from tests.flows.watchers import Quiet
from tests.live.console import ended, started
from tests.live.processes import children, gone

LIVE = Order(mode=Mode.LIVE)


class Listener(Quiet):
    """Remembers what was noticed, and does something at the first batch."""

    def __init__(self, at_first_batch: Any = lambda: None) -> None:
        self.noticed_: list[str] = []
        self._first = threading.Event()
        self._do = at_first_batch

    def noticed(self, what: str) -> None:
        self.noticed_.append(what)

    def batch(self, *_told: Any) -> None:
        if not self._first.is_set():
            self._first.set()
            self._do()


@pytest.fixture
def world(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> SmallWorld:
    """A world whose runs use processes; none of them has a Prefect API."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    world.configure(runner="processes", limits={"workers": 1})
    return world


def moved(world: SmallWorld, watcher: Listener, program: Sequence[str] = PROGRAM) -> Outcome:
    with open_house(world.folder) as house:
        return Conductor(house, watcher, program=program).move(LIVE)


def receipts(world: SmallWorld) -> list[Any]:
    with open_house(world.folder) as house:
        found = house.ledger(read_only=True).receipts()
        return [
            (it.batch, it.census, [(x.region, x.rows, x.sha256) for x in it.lines]) for it in found
        ]


def failures(world: SmallWorld) -> Sequence[Failure]:
    with open_house(world.folder) as house:
        return house.ledger(read_only=True).failures()


def regions(outcome: Outcome) -> dict[str, int]:
    return {it.region: it.rows for it in outcome.moved if it.rows}


def test_processes_end_with_the_same_receipts_and_counts_as_threads(world: SmallWorld) -> None:
    world.configure(runner="threads", limits={"workers": 2, "stripe_slices": 1})
    world.plan()
    with open_house(world.folder) as house:
        rehearsed = Conductor(house, Listener()).move(Order())
    world.configure(runner="processes")
    with open_house(world.folder) as house:
        again = Conductor(house, Listener()).move(Order())
        read = house.meters[SiteName("us-east")].total()
    for name in ("state", "tally", "accounts", "moved", "quarantine", "audit"):
        assert getattr(again, name) == getattr(rehearsed, name), name
    assert read.calls > 2, "what hands ask of stores is counted at the door"
    assert read.bytes_in > 0
    outcome = moved(world, Listener())
    assert (regions(outcome), outcome.tally) == (MOVING, rehearsed.tally)
    with open_house(world.folder) as house:
        compared = Conductor(house, Listener()).verify(LIVE)
    assert (compared.exit_code, compared.told()["waiting"]) == (14, 1)
    assert sum(it["matched"] for it in compared.told()["sums"]) == sum(MOVING.values())


def test_what_kills_its_decoder_is_let_be_and_the_run_goes_on(world: SmallWorld) -> None:
    world.put_copy("segv")
    world.plan()
    listener = Listener()
    outcome = moved(world, listener, poisoned_hand.PROGRAM)
    assert (outcome.exit_code, regions(outcome)) == (14, MOVING)
    assert outcome.tally["read"] == READ
    told = [line for line in listener.noticed_ if "segv.csv" in line]
    assert [line.rpartition("; ")[2] for line in told] == [f"attempt {n} of 3" for n in (1, 2, 3)]
    assert all("SIGSEGV" in line for line in told)
    (failure,) = failures(world)
    assert (failure.kind, failure.attempts) == (FailureKind.POISON, 3)

    # It is known now: neither a run nor a verification puts another decoder to it.
    listener = Listener()
    assert moved(world, listener, poisoned_hand.PROGRAM).exit_code == 14
    assert listener.noticed_ == []


def test_what_stalls_its_decoder_is_let_be_too(world: SmallWorld) -> None:
    limits = {"decode_attempts": 1, "decode_s_max": 5, "call_s_max": 5}
    world.configure(limits=limits)
    world.put_copy("hang")
    world.put_copy("hold")
    world.plan()
    listener = Listener()
    outcome = moved(world, listener, poisoned_hand.PROGRAM)
    assert (outcome.exit_code, regions(outcome)) == (14, MOVING)
    assert {failure.kind for failure in failures(world)} == {FailureKind.POISON}
    assert len(failures(world)) == 2
    assert all("silence for 5 s" in line for line in listener.noticed_)


def test_planning_lets_poison_be_says_so_and_no_run_touches_it(world: SmallWorld) -> None:
    world.configure(limits={"decode_attempts": 1})
    world.put_copy("segv")
    listener = Listener()
    with open_house(world.folder) as house:
        world.init()
        plan = Conductor(house, listener, program=poisoned_hand.PROGRAM).plan((), ())
    assert any("segv.csv" in line and "poison" in line for line in plan.estimates["warnings"])  # type: ignore[attr-defined]
    assert len(listener.noticed_) == 1
    listener = Listener()
    outcome = moved(world, listener, poisoned_hand.PROGRAM)
    assert (outcome.exit_code, regions(outcome), listener.noticed_) == (14, MOVING, [])


def test_a_hand_that_is_killed_is_replaced_and_nothing_is_lost_or_counted_twice(
    world: SmallWorld,
) -> None:
    world.plan()

    def kill() -> None:
        (hand,) = children(os.getpid(), "flows.hands.child")
        os.kill(hand, signal.SIGKILL)

    listener = Listener(kill)
    outcome = moved(world, listener)
    assert (regions(outcome), outcome.tally["read"]) == (MOVING, READ)
    assert len(listener.noticed_) == 1
    assert "SIGKILL" in listener.noticed_[0]
    assert failures(world) == []


def test_hands_that_die_before_they_do_anything_stop_the_run(world: SmallWorld) -> None:
    world.plan()
    listener = Listener()
    with pytest.raises(HandsLost) as refused:
        moved(world, listener, (sys.executable, "-c", "raise SystemExit(3)"))
    assert "exit code 3" in str(refused.value)
    assert len(listener.noticed_) == 3


def test_a_run_that_is_asked_to_stop_stops_its_hands_at_a_batch(world: SmallWorld) -> None:
    world.plan()
    with open_house(world.folder) as house:
        stop = threading.Event()
        with pytest.raises(Stopped):
            Conductor(house, Listener(stop.set), stop=stop).move(LIVE)
    assert len(receipts(world)) == 1
    assert regions(moved(world, Listener())) == MOVING


def test_planning_that_is_asked_to_stop_stops_and_keeps_nothing(world: SmallWorld) -> None:
    world.init()
    with open_house(world.folder) as house:
        stop = threading.Event()
        stop.set()
        with pytest.raises(Stopped, match="planning was stopped"):
            Conductor(house, Listener(), stop=stop).plan((), ())
        assert house.ledger(read_only=True).plan() is None


def test_hands_go_with_their_door_even_if_that_is_killed(world: SmallWorld) -> None:
    world.put_copy("hang")
    world.plan()
    door = started(world.folder, "migrate", "--live", entry=_DOOR)
    assert door.stdout is not None
    assert "hang" in door.stdout.readline()
    (hand,) = children(door.pid, "poisoned_hand")
    with gone(hand) as ends:
        door.kill()
        ended(door)
        assert ends(30), "a hand outlives its door"


_DOOR = """
from flows.conduct import Conductor
from flows.jobs import Mode, Order
from flows.wiring import config_folder, open_house
from tests.flows import poisoned_hand
from tests.flows.watchers import Quiet

class Tells(Quiet):
    def batch(self, *_told):
        print("next comes hang", flush=True)

with open_house(config_folder()) as house:
    Conductor(house, Tells(), program=poisoned_hand.PROGRAM).move(Order(mode=Mode.LIVE))
"""


def test_the_folder_of_a_configuration_may_be_relative(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.plan()
    monkeypatch.chdir(world.folder.parent)
    with open_house(Path(world.folder.name)) as house:
        assert regions(Conductor(house, Listener()).move(LIVE)) == MOVING
