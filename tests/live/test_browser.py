"""The whole desk: form, run and artifacts in a browser; three doors; a cancelled run; the end."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page, expect

from flows.world import desk as desks
from flows.world.desk import Desk
from flows.world.seed import seeded
from flows.world.servers import running
from flows.world.sites import SITES
from repatria.ports.ledger import RunState
from repatria.site import Role
from tests.live.at_a_desk import Person, browser, told, until

USERS = 2_000
PRESSES_MAX = 5
TITLES = ("Mode", "Datasets", "Regions", "Plan")
expect.set_options(timeout=30_000)  # Milliseconds: a busy machine draws a page slowly.
PICTURES = os.environ.get("REPATRIA_PICTURES")
"""A folder that gets the pictures too, for the README: see `make pictures`."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        try:
            started = desks.up(folder, USERS, port=0)
            for name, value in started.variables().items():
                patch.setenv(name, value)
            yield started
        finally:
            desks.down(folder)


@pytest.fixture(scope="module")
def person(desk: Desk) -> Person:
    return Person(desk)


@dataclass
class Seen:
    """What a browser saw."""

    run: UUID
    report: Path
    hosts: set[str] = field(default_factory=set)
    form: str = ""
    mode: str = ""
    page: str = ""
    artifacts: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def seen(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A rehearsal that is started in the form, followed, and read, by clicks alone."""
    folder = tmp_path_factory.mktemp("browser")
    with browser(folder / "profile") as context:
        page = context.new_page()
        hosts = set[str]()
        page.on("request", lambda request: hosts.add(host(request.url)))
        found = submit(page, person, folder)
        found.hosts = hosts
        follow(page, person, found, folder)
        # Prefect's second UI would ask a vendor for settings of its telemetry.
        page.goto(f"{person.desk.url}/v2/deployments")
        expect(page.get_by_role("link", name="migrate").first).to_be_visible()
        page.wait_for_load_state("networkidle")
    return found


def host(url: str) -> str:
    """Name whom a request goes to; what a page makes itself (data:, blob:) goes to its own."""
    return urlsplit(url.removeprefix("blob:")).hostname or "127.0.0.1"


def submit(page: Page, person: Person, folder: Path) -> Seen:
    """Open the form of migrate, submit it as it is, and wait for the end of the run."""
    before = person.reports()
    page.goto(f"{person.desk.url}/deployments")
    page.get_by_role("link", name="migrate").first.click()
    page.wait_for_url("**/deployments/deployment/*")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    mode = page.get_by_role("button", name="rehearsal")
    expect(mode).to_be_visible()
    for title in TITLES:
        expect(page.get_by_text(f"{title} (Optional)")).to_be_visible()
    form, chosen = page.inner_text("body"), mode.inner_text()
    shoot(page, folder, "form")
    run = created(page)
    person.waits_for(run)
    (report,) = person.reports() - before
    return Seen(run, report, form=form, mode=chosen)


def created(page: Page) -> UUID:
    """Press the form's button, and return the run.

    Prefect's server answers 503 while its SQLite file is held by somebody else; its Python client
    asks again by itself, its pages leave that to the person.
    """
    for _ in range(PRESSES_MAX):
        with page.expect_response(lambda answer: "create_flow_run" in answer.url) as answered:
            page.get_by_role("button", name="Submit").click()
        answer = answered.value
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
            assert answer.ok, f"the form was answered {answer.status}: {answer.text()}"
            return UUID(answer.json()["id"])
    raise AssertionError(f"the form was answered 503 {PRESSES_MAX} times")


def follow(page: Page, person: Person, found: Seen, folder: Path) -> None:
    """Open the run, then its artifacts."""
    page.goto(f"{person.desk.url}/runs/flow-run/{found.run}")
    expect(page.get_by_text("Incomplete").first).to_be_visible()
    expect(page.get_by_text("migrate all regions (rehearsal)").first).to_be_visible()
    found.page = page.inner_text("body")
    shoot(page, folder, "run")
    marks = {
        "summary": page.get_by_role("heading", name="What waits"),
        "regions": page.get_by_text("quarantined", exact=True),
    }
    for key, mark in marks.items():
        page.goto(f"{person.desk.url}/runs/flow-run/{found.run}")
        page.get_by_text("Artifacts", exact=True).first.click()
        page.get_by_text(key, exact=True).first.click()
        page.wait_for_url("**/artifacts/artifact/*")
        expect(mark).to_be_visible()
        found.artifacts[key] = page.inner_text("body")
        shoot(page, folder, key)


def shoot(page: Page, folder: Path, name: str) -> None:
    """Take a picture of what the browser shows."""
    page.wait_for_load_state("networkidle")
    for place in (folder, *([Path(PICTURES)] if PICTURES else [])):
        page.screenshot(path=place / f"ui-{name}.png")


def test_the_form_has_titles_and_begins_with_a_rehearsal(seen: Seen) -> None:
    assert seen.mode == "rehearsal"
    for title in TITLES:
        assert f"{title} (Optional)" in seen.form
    assert "rehearsal writes nothing" in seen.form


def test_a_run_shows_how_it_ended_and_its_tables(seen: Seen, person: Person) -> None:
    assert "migrate all regions (rehearsal)" in seen.page
    facts = told(seen.report)
    assert facts["exit_code"] == 14
    assert "Rehearsed to the end" in seen.artifacts["summary"]
    assert "What waits" in seen.artifacts["summary"]
    rows = json.loads(person.artifacts(seen.run)["regions"][1])
    assert {(row["region"], row["dataset"]) for row in rows} == {
        (it["region"], it["dataset"]) for it in facts["moving"]
    }
    waits = sum(it["rows"] for it in facts["quarantine"] if it["region"] != "?")
    assert sum(int(row["quarantined"]) for row in rows) == waits > 0
    assert all(
        head in seen.artifacts["regions"] for head in ("region", "moved", "quarantined", "verified")
    )


@pytest.mark.usefixtures("seen")
def test_the_log_of_an_incomplete_run_has_no_trace(person: Person) -> None:
    assert "Traceback" not in person.desk.worker.log.read_text("utf-8")


def test_the_ui_talks_to_this_machine_alone(seen: Seen) -> None:
    assert seen.hosts == {"127.0.0.1"}


def test_a_foreign_page_cannot_reach_the_server_by_a_name_of_its_own(desk: Desk) -> None:
    url = f"{desk.url}/api/health"
    assert httpx.get(url, trust_env=False).is_success
    assert httpx.get(url, headers={"Host": "foreign.example"}, trust_env=False).is_client_error


def test_three_doors_lead_to_the_same(seen: Seen, person: Person) -> None:
    before = person.reports()
    own = person.types("migrate", prefect=False)
    (mine,) = person.reports() - before
    remote = person.types("migrate", "--remote")
    (workers,) = person.reports() - before - {mine}
    assert own.returncode == remote.returncode == 14, own.stderr + remote.stderr
    assert told(mine) == told(workers) == told(seen.report)


def test_a_cancelled_run_leaves_everything_consistent_and_the_next_completes(
    person: Person,
) -> None:
    run = person.starts("migrate", mode="live")
    until(lambda: moved(person) or None)
    person.cancels(run)
    ended = person.waits_for(run)
    assert ended.state is not None
    assert ended.state.is_cancelled()
    expected = expectation(person.desk)
    assert 0 < moved(person) < sum(expected.values())
    with person.ledger() as ledger:
        (stopped,) = [found for found in ledger.runs() if found.verb == "migrate"]
        assert stopped.state is RunState.STOPPED
        assert all(receipt.checked() for receipt in ledger.receipts())

    remote = person.types("migrate", "--live", "--remote")
    assert remote.returncode == 14, remote.stderr
    with person.ledger() as ledger:
        found = {(one.dataset, one.region): one.rows for one in ledger.moved()}
    assert found == expected
    assert {key: times for key, times in parcels_put(person.desk).items() if times > 1} == {}


def moved(person: Person) -> int:
    with person.ledger() as ledger:
        return sum(one.rows for one in ledger.moved())


def expectation(desk: Desk) -> dict[tuple[str, str], int]:
    return {
        (name, region): rows
        for name, account in seeded(desk.world).datasets.items()
        for region, rows in account.moved.items()
    }


def parcels_put(desk: Desk) -> Counter[str]:
    """Count, by the stores' own logs, how often each parcel was put."""
    world = running(desk.world)
    assert world is not None
    lines = [
        f"{site.name} {unquote(line)}"
        for site in SITES
        if site.role is Role.ENCLAVE
        for line in world.requests(site.name)
        if line.startswith("PUT ") and "/region=" in unquote(line) and line.endswith(" 200")
    ]
    found = Counter(line for line in lines if "manifest.parquet" not in line)
    assert found
    return found


def test_starting_again_changes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    world = running(desk.world)
    assert desks.main(["up", "--folder", str(desk.folder)]) == 0
    assert running(desk.world) == world
    said = capsys.readouterr().out
    assert "runs already" in said
    assert desk.url in said


def test_the_end_leaves_no_process_behind(person: Person) -> None:
    run = person.starts("migrate", mode="rehearsal")
    until(lambda: person.sees(run).start_time)
    assert len(theirs(person.desk)) >= 4
    assert desks.down(person.desk.folder)
    assert theirs(person.desk) == []
    assert not desks.down(person.desk.folder)


def theirs(desk: Desk) -> list[str]:
    """Return the processes of a desk: those whose command or environment names its folder."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("NOT RUN: this system does not show the environment of a process")
    mark = str(desk.folder.resolve()).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:  # It ended meanwhile, or is somebody else's.
            continue
        if process.name != str(os.getpid()) and any(mark in text for text in said):
            found.append(f"{process.name} {said[0][:200]!r}")
    return found
