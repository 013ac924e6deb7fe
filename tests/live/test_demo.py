"""The demonstration: it ends well if and only if every count is as it was laid down."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flows.world import demo
from flows.world.demo import environment
from flows.world.found import Found
from flows.world.interrupts import Interrupts
from flows.world.seed import USERS_MIN, seeded
from flows.world.servers import running
from flows.world.steps import STEPS
from flows.world.tally import Seeded
from flows.world.verdict import checks, expectation
from repatria.names import DatasetName, RegionName

ROOT = Path(__file__).parents[2]
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def command(folder: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "flows.world.demo",
        "--users",
        str(USERS_MIN),
        "--folder",
        str(folder),
    ]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A whole demonstration, its output in a pipe; the second in its folder."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "lock").touch()
    (folder / "state").mkdir()
    (folder / "state" / "of-an-earlier-time").touch()
    it = subprocess.run(
        command(folder),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PREFECT_API_URL": "http://127.0.0.1:1/api", "COLUMNS": "80"},
    )
    assert it.returncode == 0, it.stdout[-3000:]
    return folder, it.stdout


def test_every_step_is_announced_and_the_verdict_is_good(ended: tuple[Path, str]) -> None:
    _, said = ended
    for number, step in enumerate(STEPS, 1):
        assert f"{number}/{len(STEPS)}  repatria {step.command} " in said
    assert "Every record is accounted for" in said
    assert "✗" not in said
    assert said.count("Exit 14, as it must be: as in life") == 3


def test_a_pipe_gets_plain_lines_that_fit_a_narrow_terminal(ended: tuple[Path, str]) -> None:
    _, said = ended
    assert CONTROL.findall(said.replace("\n", "").replace("\t", "")) == []
    paths = ("Report:", "rehearsal-", "REPATRIA_CONFIG=", "(object=")
    wide = [line for line in said.splitlines() if len(line.rstrip()) > 80]
    assert [line for line in wide if not any(word in line for word in paths)] == []


def test_the_world_has_ended_and_an_earlier_state_is_gone(ended: tuple[Path, str]) -> None:
    folder, _ = ended
    assert running(folder) is None
    assert list((folder / "state").glob("ledger*"))
    assert not (folder / "state" / "of-an-earlier-time").exists()


def as_laid_down(folder: Path) -> tuple[Seeded, Found]:
    laid = seeded(folder)
    told = expectation(laid)
    found = Found(
        rehearsed=told,
        moved=told,
        matched=told.moved,
        differing=0,
        unverified=len(told.failed),
        parcels=told.moved,
    )
    return laid, found


def test_one_record_too_few_anywhere_spoils_the_verdict(ended: tuple[Path, str]) -> None:
    laid, found = as_laid_down(ended[0])
    assert all(check.agrees for check in checks(laid, found))
    one = (DatasetName("posts"), RegionName("IE"))
    less = {**found.parcels, one: found.parcels[one] - 1}
    waits = {key: rows + 1 for key, rows in found.moved.waits.items()}
    other = (DatasetName("posts"), RegionName("DE"))
    swapped = {**found.parcels, one: found.parcels[other], other: found.parcels[one]}
    assert swapped != found.parcels
    read = {name: {**it, "read": it["read"] + 1} for name, it in found.moved.accounts.items()}
    for worse in (
        replace(found, parcels=less),
        replace(found, parcels={}),
        replace(found, matched=less),
        replace(found, matched=swapped),
        replace(found, differing=1),
        replace(found, unverified=0),
        replace(found, rehearsed=replace(found.rehearsed, moved=less)),
        replace(found, rehearsed=replace(found.rehearsed, waits=waits)),
        replace(found, moved=replace(found.moved, moved=less)),
        replace(found, moved=replace(found.moved, waits=waits)),
        replace(found, moved=replace(found.moved, failed=frozenset())),
        replace(found, moved=replace(found.moved, accounts=read)),
    ):
        wrong = [check for check in checks(laid, worse) if not check.agrees]
        assert len(wrong) == 1


def test_a_folder_that_is_no_world_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "of-somebody").write_text("precious")
    assert demo.main(["--users", str(USERS_MIN), "--folder", str(tmp_path)]) == 10
    assert (tmp_path / "state" / "of-somebody").read_text() == "precious"
    assert "no embedded world stood there" in capsys.readouterr().out


def test_ctrl_c_ends_it_cleanly_and_the_world_with_it(tmp_path: Path) -> None:
    it = subprocess.Popen(
        command(tmp_path), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with it:
        assert it.stdout is not None
        for line in it.stdout:
            if "repatria migrate --live" in line and "5/8" in line:
                it.send_signal(signal.SIGINT)
                break
        said = it.stdout.read()
        assert it.wait(120) == 14, said
    assert "Stopped, as asked" in said
    assert "The verdict" not in said
    assert "Traceback" not in said
    assert running(tmp_path) is None


def test_a_signal_is_heard_although_somebody_else_handles_it() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with Interrupts() as interrupts:
            assert not interrupts.heard()
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupts.heard()
            assert not interrupts.heard()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_environment_is_as_it_was_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    before = dict(os.environ)
    with environment(tmp_path, tmp_path / "config"):
        assert "PREFECT_API_URL" not in os.environ
        assert os.environ["REPATRIA_CONFIG"] == str(tmp_path / "config")
    assert dict(os.environ) == before
