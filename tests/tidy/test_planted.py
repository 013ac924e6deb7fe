"""The bugs that are kept can still be planted: each applies to the tree as it is."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.planted.bug import ROOT, Bug, bugs

PLANTED = bugs()
NOT_RUN = "NOT RUN: patches are tried with git"


def test_there_are_many_and_each_breaks_something_of_its_own() -> None:
    assert len(PLANTED) >= 16
    assert len({bug.wrong for bug in PLANTED}) == len(PLANTED)


@pytest.mark.parametrize("bug", PLANTED, ids=[bug.name for bug in PLANTED])
def test_a_bug_can_be_planted_and_names_tests_that_exist(bug: Bug) -> None:
    if shutil.which("git") is None:
        pytest.skip(NOT_RUN)
    tried = subprocess.run(
        ["git", "apply", "--check", str(bug.patch)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, f"make {bug.patch.name} anew: {tried.stderr}"
    for test in bug.red:
        path, _, name = test.partition("::")
        source = (ROOT / path).read_text("utf-8")
        for part in filter(None, name.split("::")):
            assert f"class {part}(" in source or f"def {part}" in _with_contracts(source)


def _with_contracts(source: str) -> str:
    """Return a test's source with that of the contracts that it inherits."""
    contracts = (ROOT / "tests" / "contract").glob("*_contract.py")
    return source + "".join(path.read_text("utf-8") for path in contracts)


def test_the_command_plants_each_in_a_copy_and_not_here() -> None:
    changed = {line[6:] for bug in PLANTED for line in _lines(bug) if line.startswith("+++ b/")}
    assert all((ROOT / path).is_file() and not path.startswith("tests/") for path in changed)


def _lines(bug: Bug) -> list[str]:
    return bug.patch.read_text("utf-8").splitlines()
