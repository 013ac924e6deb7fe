"""The command line against a small world: with no Prefect, as a flow, and at a worker."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any, NoReturn
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from typer.testing import CliRunner

from flows.command import remote
from flows.command.app import app
from flows.conduct import Conductor
from flows.jobs import Mode, Order
from flows.migrate import migrate
from flows.parameters import MigrateRequest
from flows.wiring import open_house
from repatria.ports.ledger import RunState
from tests.flows.small_world import MOVING, READ, SmallWorld
from tests.flows.watchers import Quiet


def repatria(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def told(*arguments: str) -> Any:
    return json.loads(repatria(*arguments, "--json").stdout)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No Prefect API is configured."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))


@pytest.mark.usefixtures("alone")
class TestAlone:
    def test_from_an_empty_machine_to_records_at_home(self, world: SmallWorld) -> None:
        world.put_bad_object()
        assert repatria("init").exit_code == 0
        assert "Ready" in repatria("doctor").stdout
        assert "people" in repatria("plan").stdout

        rehearsed = repatria("rehearse")
        assert rehearsed.exit_code == 14
        assert "Would move" in rehearsed.stdout
        assert "reports/rehearsal-" in rehearsed.stdout.replace("\n", "")

        moved = repatria("migrate", "--live")
        assert moved.exit_code == 14
        for words in ("1 record of people waits (unknown-country)", "c.csv.gz", "What waits"):
            assert words in " ".join(moved.stdout.split()), words

        assert repatria("verify").exit_code == 14
        assert "IE" in repatria("status").stdout
        assert "has no country" in repatria("quarantine", "list").stdout
        assert repatria("quarantine", "drop", "1", "--why", "test data").exit_code == 0
        assert "Nothing waits" in repatria("quarantine", "list").stdout
        assert told("quarantine", "list", "--decided")[0]["why"] == "test data"

    def test_without_live_a_migration_writes_nothing_and_says_so(self, world: SmallWorld) -> None:
        world.plan()
        result = repatria("migrate")
        assert "This is a rehearsal" in result.output
        assert [key for key in world.keys_at_home() if not key.startswith("_repatria/")] == []

    def test_starting_again_carries_on(self, world: SmallWorld) -> None:
        world.plan()
        first, again = told("migrate", "--live"), told("migrate", "--live")
        assert (first["tally"]["read"], again["tally"]["read"]) == (READ, 0)
        assert again["accounts"] == first["accounts"]

    def test_json_has_the_documented_keys(self, world: SmallWorld) -> None:
        digest = world.plan()
        assert told("plan", "show")["digest"] == digest
        assert [it["digest"] for it in told("plan", "list")] == [digest]
        found = told("migrate", "--live")
        assert {it["region"]: it["rows"] for it in found["moved"] if it["rows"]} == MOVING
        assert set(found["audit"].values()) == {0}
        status = told("status")
        assert status["run"]["state"] == RunState.INCOMPLETE.value
        assert {it["region"]: it["rows"] for it in status["cells"]} == MOVING
        assert told("verify", "--region", "IE")["sums"][0]["matched"] == MOVING["IE"]
        (entry,) = told("quarantine", "list")
        assert (entry["reason"], entry["rows"], entry["verdict"]) == ("unknown-country", 1, "open")

    def test_what_is_not_there_is_refused_in_a_paragraph(self, world: SmallWorld) -> None:
        world.plan()
        for arguments in (
            ("plan", "show", "deadbeef"),
            ("migrate", "--region", "XX"),
            ("quarantine", "show", "1"),
            ("quarantine", "drop", "7", "--why", "x"),
        ):
            result = repatria(*arguments)
            assert result.exit_code == 10, arguments
            assert "→" in result.stderr, arguments

    @pytest.mark.parametrize("verb", ["list", "retry"])
    def test_a_dataset_or_reason_that_nothing_has_is_not_understood(
        self, world: SmallWorld, verb: str
    ) -> None:
        world.plan()
        for option, named, known in (
            ("--dataset", "postz", "people"),
            ("--reason", "orphans", "conflict, orphan"),
        ):
            result = repatria("quarantine", verb, option, named)
            assert result.exit_code == 2, option
            assert known in " ".join(result.output.replace("│", " ").split()), option

    def test_less_than_the_plan_is_not_told_as_all_of_it(self, world: SmallWorld) -> None:
        world.plan()
        found = told("migrate", "--live", "--region", "IE")
        (narrowed,) = found["narrowed"]
        assert (narrowed["kind"], narrowed["asked"]) == ("regions", ["IE"])
        assert narrowed["planned"] > 1
        assert told("migrate", "--live")["narrowed"] == []

    def test_a_name_that_cannot_be_one_is_not_understood(self, world: SmallWorld) -> None:
        world.plan()
        for arguments in (("migrate", "--region", "../IE"), ("plan", "--dataset", "{{ x }}")):
            result = repatria(*arguments)
            assert result.exit_code == 2, arguments
            assert "defect" not in result.output

    def test_a_signal_is_remembered_as_a_stop_and_the_next_run_carries_on(
        self, world: SmallWorld
    ) -> None:
        world.plan()

        def signalled(_enacted: object) -> NoReturn:
            raise KeyboardInterrupt

        with open_house(world.folder) as house:
            with pytest.raises(KeyboardInterrupt):
                Conductor(house, Quiet(), signalled).move(Order(mode=Mode.LIVE))
            assert house.ledger(read_only=True).runs()[0].state is RunState.STOPPED
        assert told("migrate", "--live")["tally"]["read"] == READ

    def test_remote_without_an_api_is_not_understood(self, world: SmallWorld) -> None:
        world.plan()
        assert repatria("migrate", "--remote").exit_code == 2

    def test_no_record_is_ever_shown(self, world: SmallWorld) -> None:
        world.plan()
        shown = [
            repatria("migrate", "--live", "--debug"),
            repatria("verify"),
            repatria("status"),
            repatria("quarantine", "show", "1"),
        ]
        assert [word for it in shown for word in ("somebody", "IE-3") if word in it.output] == []


@pytest.fixture
def api(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncPrefectClient]:
    """A Prefect API, configured in the environment as an operator would."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    with get_client(sync_client=True) as client:
        yield client


def test_with_an_api_a_run_is_a_flow_run_and_looks_the_same(
    world: SmallWorld, api: SyncPrefectClient
) -> None:
    world.plan()
    before = len(api.read_flow_runs(limit=200))
    result = repatria("migrate", "--live")
    assert result.exit_code == 14
    assert "1 record of people waits" in " ".join(result.stdout.split())
    assert len(api.read_flow_runs(limit=200)) == before + 1


@pytest.mark.usefixtures("api")
def test_with_an_api_a_refusal_is_still_a_paragraph(world: SmallWorld) -> None:
    world.plan()
    result = repatria("migrate", "--region", "XX")
    assert result.exit_code == 10
    assert "→" in result.stderr


@pytest.mark.usefixtures("api")
def test_a_deployment_that_nobody_made_is_refused() -> None:
    with pytest.raises(remote.NoDeployment):
        remote.follow("no-such-verb", MigrateRequest())


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("state", "code"),
    [
        (Completed(), 0),
        (Failed(name="Incomplete"), 14),
        (Failed(name="Disagrees"), 11),
        (Failed(name="Refused"), 10),
        (Failed(), 1),
    ],
    ids=lambda it: it.name if isinstance(it, State) else None,
)
def test_a_remote_run_is_followed_to_its_end(
    monkeypatch: pytest.MonkeyPatch, state: State[Any], code: int
) -> None:
    monkeypatch.setattr(remote, "POLL_S", 0.05)
    migrate.to_deployment("migrate", work_pool_name=None).apply()  # type: ignore[union-attr]
    started = threading.Event()
    seen: list[UUID] = []

    def say(line: str) -> None:
        if "Started" in line:
            seen.append(UUID(line.rsplit("/", 1)[1]))
            started.set()

    def work() -> None:
        started.wait(timeout=30)
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(seen[0], state, force=True)

    monkeypatch.setattr(remote, "say", say)
    worker = threading.Thread(target=work)
    worker.start()
    assert remote.follow("migrate", MigrateRequest()) == code
    worker.join()
