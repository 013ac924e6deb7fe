"""A desk for tests: what a person at it does, by mouse, by client, and by command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, sync_playwright
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling

from flows.wiring import open_house
from flows.world.desk import Desk
from repatria.ports.ledger import Ledger

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240.0
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Person:
    """Somebody at a desk."""

    desk: Desk

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        """Talk to the desk's Prefect server."""
        with (
            temporary_settings({PREFECT_API_URL: f"{self.desk.url}/api"}),
            get_client(sync_client=True) as client,
        ):
            yield client

    def types(self, *words: str, prefect: bool = True) -> subprocess.CompletedProcess[str]:
        """Type a command of ours; without ``prefect`` no server is known to it."""
        environment = self.desk.environment()
        if not prefect:
            environment.pop("PREFECT_API_URL")
        return subprocess.run(
            [sys.executable, "-c", "from flows.command import main; main()", *words],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def starts(self, verb: str, **request: Any) -> UUID:
        """Start a deployment as the UI does."""
        with self.client() as client:
            deployment = client.read_deployment_by_name(f"{verb}/{verb}")
            run = client.create_flow_run_from_deployment(
                deployment.id, parameters={"request": request}
            )
            return run.id

    def cancels(self, run: UUID) -> None:
        """Cancel a run as the UI does."""
        with self.client() as client:
            client.set_flow_run_state(run, Cancelling())

    def sees(self, run: UUID) -> FlowRun:
        """Look at a run."""
        with self.client() as client:
            return client.read_flow_run(run)

    def waits_for(self, run: UUID) -> FlowRun:
        """Wait for the end of a run."""

        def ended() -> FlowRun | None:
            seen = self.sees(run)
            return seen if seen.state is not None and seen.state.is_final() else None

        return until(ended)

    def artifacts(self, run: UUID) -> Mapping[str, tuple[UUID, Any]]:
        """Return the artifacts of a run by their keys."""
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=[run]))
        with self.client() as client:
            found = client.read_artifacts(flow_run_filter=chosen)
        return {artifact.key or "": (artifact.id, artifact.data) for artifact in found}

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Read the desk's ledger."""
        with open_house(self.desk.world / "config") as house:
            yield house.ledger(read_only=True)

    def reports(self) -> set[Path]:
        """Return the reports of rehearsals so far."""
        return set((self.desk.world / "state" / "reports").glob("rehearsal-*.json"))


def told(report: Path) -> dict[str, Any]:
    """Return what a rehearsal came to: everything but names of runs and times."""
    facts = json.loads(report.read_text("utf-8"))
    same = ("state", "exit_code", "tally", "accounts", "moving", "quarantine", "failures", "audit")
    return {name: facts[name] for name in same}


def until(look: Callable[[], Found | None]) -> Found:
    """Look again and again until there is something to see."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.25)):
        found = look()
        if found is not None:
            return found
        pause.wait(0.25)
    raise AssertionError("it did not happen in time")


def chromium() -> str:
    """Return where Chromium is; without it, skip loudly, or fail where nothing may be skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        what = "NOT RUN for want of Chromium: the test that clicks through the Prefect UI"
        if os.environ.get("CI"):
            pytest.fail(what)
        pytest.skip(what)
    return found


@contextmanager
def browser(profile: Path) -> Iterator[BrowserContext]:
    """Open a headless Chromium with a profile of its own."""
    where = chromium()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=where,
            args=SWITCHES,
            headless=True,
            viewport={"width": 1280, "height": 900},
        )
        try:
            yield context
        finally:
            context.close()
