"""The flows: wired, told in the UI, and the same as the command in its own process."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import Artifact, State

from flows.conduct import Conductor
from flows.jobs import Mode, Order
from flows.migrate import migrate
from flows.onlooker import Onlooker, watched_by
from flows.parameters import MigrateRequest, PlanRequest, RehearseRequest, VerifyRequest
from flows.plan import plan
from flows.rehearse import rehearse
from flows.report.outcome import Outcome
from flows.stage import exit_code_of
from flows.verify import verify
from flows.wiring import open_house
from tests.flows.small_world import MOVING, READ, SmallWorld
from tests.flows.watchers import Quiet

pytestmark = pytest.mark.usefixtures("prefect_server")

LIVE = MigrateRequest(mode=Mode.LIVE)


def run(flow: Any, request: Any) -> tuple[State[Any], Onlooker]:
    onlooker = Onlooker(Quiet(), threading.Event())
    with watched_by(onlooker):
        state = flow(request, return_state=True)
    return state, onlooker


def artifacts(state: State[Any]) -> dict[str, Any]:
    return {artifact.key or "": artifact.data for artifact in left_by(state)}


def left_by(state: State[Any]) -> list[Artifact]:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    chosen = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    with get_client(sync_client=True) as client:
        return client.read_artifacts(flow_run_filter=chosen)


def name_of(state: State[Any]) -> str:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id).name


def test_a_flow_does_the_same_as_the_command_in_its_own_process(world: SmallWorld) -> None:
    world.plan()
    with open_house(world.folder) as house:
        direct = Conductor(house, Quiet()).move(Order(mode=Mode.REHEARSAL))
    state, onlooker = run(rehearse, RehearseRequest())
    assert isinstance(onlooker.result, Outcome)
    for name in ("state", "exit_code", "tally", "accounts", "moved", "quarantine", "audit"):
        assert getattr(onlooker.result, name) == getattr(direct, name), name
    assert onlooker.result.tally["read"] == READ
    assert state.name == "Incomplete"
    assert exit_code_of(state) == direct.exit_code == 14


def test_a_rehearsal_by_flow_puts_nothing_anywhere(world: SmallWorld) -> None:
    world.plan()
    run(migrate, MigrateRequest())
    assert world.keys_at_home() == []


@pytest.mark.parametrize(
    ("flow", "request_", "says"),
    [
        (rehearse, RehearseRequest(), "would move"),
        (migrate, MigrateRequest(), "would move"),
        (migrate, LIVE, "moved"),
    ],
)
def test_progress_says_moved_of_what_was_written_alone(
    world: SmallWorld, flow: Any, request_: Any, says: str
) -> None:
    world.plan()
    state, _ = run(flow, request_)
    (progress,) = (it for it in left_by(state) if it.key == "progress")
    assert str(progress.description).endswith(f"{sum(MOVING.values())} {says}")


def test_a_live_run_moves_shows_and_is_verified(world: SmallWorld) -> None:
    planned, _ = run(plan, PlanRequest())
    assert planned.is_failed()  # There is no ledger before `init`.
    world.plan()
    planned, _ = run(plan, PlanRequest())
    assert planned.is_completed()
    assert {"plan", "plan-datasets"} <= set(artifacts(planned))

    state, _ = run(migrate, LIVE)
    shown = artifacts(state)
    assert len(world.keys_at_home()) >= len(MOVING)
    assert state.name == "Incomplete"
    assert "1 record of people waits" in shown["summary"]
    assert json.loads(shown["region-ie"])[0]["moved"] == str(MOVING["IE"])
    assert shown["progress"] == 100.0
    assert name_of(state) == "migrate all regions (live)"

    state, _ = run(verify, VerifyRequest(regions=["IE"]))
    assert name_of(state) == "verify IE"
    assert "10 records matched" in str(state.message)
    assert json.loads(artifacts(state)["compared"])[0]["matched"] == "10"


def test_what_was_refused_says_so_in_the_state(world: SmallWorld) -> None:
    world.plan()
    state, onlooker = run(migrate, MigrateRequest(regions=["XX"]))
    assert state.name == "Refused"
    assert exit_code_of(state) == 10
    assert "XX" in str(state.message)
    assert onlooker.error is not None


def test_a_run_that_is_asked_to_stop_stops_and_says_so(world: SmallWorld) -> None:
    world.plan()
    onlooker = Onlooker(Quiet(), threading.Event())
    onlooker.stop.set()
    with watched_by(onlooker):
        state = migrate(LIVE, return_state=True)
    assert exit_code_of(state) == 14
    assert world.keys_at_home() == []
    carried_on, _ = run(migrate, LIVE)
    assert carried_on.name == "Incomplete"
    assert world.keys_at_home() != []
