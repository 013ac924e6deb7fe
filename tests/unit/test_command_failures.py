"""Failures: one clear paragraph, a stable exit code, and no word of what the data held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

import pytest
import typer
from typer.testing import CliRunner

from flows.command.stopping import stopped_by_signals
from flows.command.verb import CODES, paragraph, verb
from repatria import errors
from repatria.errors import ConfigRefused, ReadBackMismatch, RepatriaError, StoreRefused, Transient

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, RepatriaError)
    and kind is not RepatriaError
    and kind.__init__ is RepatriaError.__init__
]


def run(error: BaseException, *options: str) -> tuple[int, str]:
    app = typer.Typer()

    @app.command()
    @verb
    def fail() -> NoReturn:
        """Fail."""
        raise error

    result = CliRunner().invoke(app, list(options))
    return result.exit_code, result.output


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_foreseen_failure_has_its_own_documented_code(kind: type[RepatriaError]) -> None:
    code, told = run(kind("something is so", site="dublin-1"))
    assert code == kind.exit_code
    assert code in CODES
    assert "Something is so (site=dublin-1)." in told
    assert "Traceback" not in told


@pytest.mark.parametrize("error", [Transient("away"), StoreRefused("no"), ReadBackMismatch("x")])
def test_a_failure_says_what_to_do(error: RepatriaError) -> None:
    _, told = run(error)
    assert " ".join(error.hint.split()) in " ".join(told.split())


def test_a_defect_says_that_it_is_one_and_keeps_its_own_text_to_itself() -> None:
    code, told = run(ValueError("mary@example.com"))
    assert code == 1
    assert "this is a defect" in told.lower()
    assert "mary" not in told
    assert "--debug" in told


def test_debug_shows_the_trace() -> None:
    _, told = run(ValueError("what nobody foresaw"), "--debug")
    assert "Traceback" in told


def test_many_problems_keep_their_lines() -> None:
    lines = list(paragraph(str(ConfigRefused("two problems:\n  one\n  two\n ")), "Mend them."))
    assert lines == ["Two problems:", "  one", "  two", "→ Mend them."]


def test_a_folder_named_by_option_is_the_one_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPATRIA_CONFIG", "elsewhere")
    run(Transient("away"), "--config", str(tmp_path))
    assert os.environ["REPATRIA_CONFIG"] == str(tmp_path)


class TestStopping:
    def test_the_first_signal_asks_for_a_stop_at_a_boundary(self) -> None:
        stop, said = threading.Event(), list[str]()
        with stopped_by_signals(stop, said.append):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_set()
        assert "batch boundary" in said[0]

    def test_the_handlers_of_before_are_put_back(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        with stopped_by_signals(threading.Event(), print):
            assert signal.getsignal(signal.SIGINT) is not before
        assert signal.getsignal(signal.SIGINT) is before

    def test_the_second_signal_leaves_at_once_with_the_code_of_incomplete(self) -> None:
        code = (
            "import os, signal, threading\n"
            "from flows.command.stopping import stopped_by_signals\n"
            "with stopped_by_signals(threading.Event(), print):\n"
            "    os.kill(os.getpid(), signal.SIGINT)\n"
            "    os.kill(os.getpid(), signal.SIGINT)\n"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 14
