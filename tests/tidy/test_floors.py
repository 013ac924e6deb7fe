"""Who may look at whom, and who may look outside at all."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.tidy.house import ROOT, place, project, tree

OUTSIDE = {
    "asyncio", "fcntl", "http", "logging", "multiprocessing", "os", "random", "secrets",
    "shutil", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
READS = {"read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir"}
CLOCKS = {"now", "today", "utcnow"}


def _rules_and_nouns() -> list[Path]:
    """Return every module on a floor of rules or nouns: all but engines, ports and config.

    They may name a ``Path``, as a value; what opens one is refused below. ``native`` is the
    machine on which rules run, compiled and loaded (docs/adr/0027), and no rule.
    """
    [floors] = [
        contract["layers"]
        for contract in project()["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["repatria"]
    ]
    engines_end = next(at for at, floor in enumerate(floors) if "border" in floor)
    names = {name.strip(" ()") for it in floors[engines_end:] for name in _split(it)}
    paths = [ROOT / "repatria" / name for name in names - {"ports", "config", "native"}]
    single = [path.with_suffix(".py") for path in paths if path.with_suffix(".py").exists()]
    return sorted([*single, *(module for path in paths for module in path.rglob("*.py"))])


def _split(floor: str) -> list[str]:
    return floor.replace("|", ":").split(":")


def test_everybody_stands_on_their_floor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert broken == 0, capsys.readouterr().out


@pytest.mark.parametrize("module", _rules_and_nouns(), ids=place)
def test_rules_and_nouns_know_no_file_no_clock_and_no_chance(module: Path) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            assert not {name.name.split(".")[0] for name in node.names} & OUTSIDE
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in OUTSIDE
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("open", "print", "input")
            assert called.split(".")[-1] not in READS
            assert "np.random" not in called
            assert not ("date" in called and called.split(".")[-1] in CLOCKS)


def test_there_are_rules_and_nouns_to_look_at() -> None:
    names = {place(module) for module in _rules_and_nouns()}
    assert {"repatria/fate.py", "repatria/receipt.py", "repatria/digest/digester.py"} <= names
    assert "repatria/transfer.py" not in names


def test_the_command_line_answers_without_what_is_slow() -> None:
    """What a command imports at its top, every ``--help`` pays for."""
    asked = "import sys, flows.command; print(*{'prefect', 'boto3', 'fastapi'} & set(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert answer.stdout.split() == []
