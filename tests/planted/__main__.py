"""Plants each bug in a copy of the tree and runs the tests that should notice: all must turn red.

    python -m tests.planted [NAME …]

Where the tests that a patch names stay green, the whole suite is asked before the bug counts as
unnoticed. Ends with 1 if any is. A test that fails for want of the tree itself would prove
nothing: so the named tests are first run on the copy as it is, and must be green there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.planted.bug import ROOT, Bug, bugs

TESTS_FAILED: Final = 1
"""What pytest exits with where tests ran and failed; all else proves nothing (its manual)."""
LEFT_OUT: Final = (".git", ".venv*", ".world", ".*_cache", ".hypothesis", "__pycache__", "bench")
_PYTEST: Final = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=short")
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def copied(folder: Path) -> Path:
    """Copy the tree, without what is not of the repository, and return the copy."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    return tree


@contextmanager
def planted(bug: Bug, tree: Path) -> Iterator[None]:
    """Plant a bug in a tree for the length of the block."""
    _apply(bug, tree)
    try:
        yield
    finally:
        _apply(bug, tree, "--reverse")


def _apply(bug: Bug, tree: Path, *how: str) -> None:
    subprocess.run(
        ["git", "apply", "--unsafe-paths", *how, str(bug.patch)],
        cwd=tree,
        check=True,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)},
    )


def run(tree: Path, tests: Sequence[str]) -> tuple[int, str, str]:
    """Run tests in a tree up to the first that fails; return exit code, that test, and the end."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "--tb=short",
            *tests,
        ],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = _FAILED.search(done.stdout)
    return done.returncode, failed.group(1) if failed else "", done.stdout[-2000:]


def noticed(bug: Bug, tree: Path) -> str:
    """Return the test that turned red, or nothing if the suite stays green."""
    with planted(bug, tree):
        for tests in (bug.red, ()):
            code, test, end = run(tree, tests)
            if code == TESTS_FAILED and test:
                return test
            if code != 0:
                raise SystemExit(f"{bug.name}: pytest could not run\n{end}")
    return ""


def main(names: Sequence[str]) -> int:
    """Plant the bugs that are named, or all of them; print one line for each."""
    kept = [bug for bug in bugs() if not names or bug.name in names]
    assert len(kept) == len(names) or not names, "there is a patch of each name"
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        healthy, _, end = run(tree, sorted({test for bug in kept for test in bug.red}))
        if healthy != 0:
            raise SystemExit(f"without any bug the tests are not green\n{end}")
        for bug in kept:
            began = time.monotonic()
            test = noticed(bug, tree)
            unnoticed += not test
            told = test or "NOTHING TURNED RED"
            sys.stdout.write(f"{bug.name:32} {time.monotonic() - began:6.1f} s  {told}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(kept)} bugs planted, {len(kept) - unnoticed} noticed\n")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
