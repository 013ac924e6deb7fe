"""The manual is true: its commands exist, its codes mean something, its numbers follow."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer

from connectors.s3.client import S3Settings
from connectors.s3.permissions import needed
from connectors.sql.dialects import BUSY_MS
from connectors.wrap.retrying import THROTTLED_WAIT_S, WAIT_S
from flows.command.app import app
from flows.command.errors_page import PAGE, page, told
from flows.command.verb import CODES
from flows.crew import run_stripes
from flows.report.outcome import Outcome
from flows.report.reasons import OBJECTS, RECORDS
from flows.report.verification import VerifyOutcome
from flows.stage import STATES
from repatria.audit import Audit
from repatria.batch import Reason
from repatria.errors import Occupied
from repatria.limits import Limits
from repatria.names import SiteName
from repatria.ports.ledger import Comparison, FailureKind
from repatria.site import Role
from repatria.stripe import Tally
from tests.tidy.house import ROOT, files, place

PAGES = [it for it in files() if it.suffix == ".md"]
DOCS = ROOT / "docs"
OPERATIONS = (DOCS / "operations.md").read_text("utf-8")
BLOCKS = re.compile(r"^ *```(?:console)?\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
USAGE = ("NoSuchOption", "BadOptionUsage", "BadParameter", "UsageError")


def typed(text: str) -> Iterator[str]:
    """Yield the commands that a page shows in blocks."""
    for block in BLOCKS.findall(text):
        yield from re.findall(r"^ *(?:\$ )?(repatria [a-z].*)$", block, re.MULTILINE)


def named(text: str) -> Iterator[str]:
    """Yield the commands that a page names in a sentence, perhaps without all that they need."""
    plain = BLOCKS.sub("", text)
    found = re.findall(r"`(repatria [a-z][^`…<]*)`", plain)  # Not `repatria key 1`: a constant.
    return (" ".join(one.split()) for one in found if not re.search(r" v?\d+$", one))


def refusal(line: str) -> str:
    """Return the name of the error with which the command line refuses this, or nothing."""
    command: Any = typer.main.get_command(app)
    name, arguments, context = "repatria", shlex.split(line, comments=True)[1:], None
    try:
        while hasattr(command, "resolve_command"):
            context = command.make_context(name, list(arguments), parent=context)
            rest = [*context._protected_args, *context.args]
            if not rest:
                return ""
            name, command, arguments = command.resolve_command(context, rest)
        command.make_context(name, list(arguments), parent=context)
    except Exception as error:
        if not hasattr(error, "exit_code"):  # The parser's own have one, and Typer brings them.
            raise
        return type(error).__name__
    return ""


@pytest.mark.parametrize("at", PAGES, ids=place)
def test_every_command_that_is_shown_is_one(at: Path) -> None:
    refused = {line: why for line in typed(at.read_text("utf-8")) if (why := refusal(line))}
    assert refused == {}


@pytest.mark.parametrize("at", PAGES, ids=place)
def test_every_command_that_is_named_is_one(at: Path) -> None:
    refused = {line: why for line in named(at.read_text("utf-8")) if (why := refusal(line))}
    assert {line: why for line, why in refused.items() if why in USAGE} == {}


@pytest.mark.parametrize(
    "line", ["repatria migrat", "repatria migrate --life", "repatria quarantine mend 3"]
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    assert refusal(line) in USAGE


def test_the_manual_shows_commands_at_all() -> None:
    shown = [line for at in PAGES for line in typed(at.read_text("utf-8"))]
    assert {"repatria plan", "repatria migrate --live", "repatria verify"} <= set(shown)
    assert len(shown) > 50


@pytest.mark.parametrize("at", PAGES, ids=place)
def test_every_exit_code_that_is_named_means_something(at: Path) -> None:
    codes = re.findall(r"\b[Ee]xits?(?: codes?)?:? \*{0,2}(\d+)", at.read_text("utf-8"))
    assert {int(code) for code in codes} <= set(CODES)


def test_the_page_of_errors_is_what_the_errors_say_now() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m flows.command.errors_page`"


def test_the_page_of_errors_tells_of_every_error_that_leaves_an_engine() -> None:
    listed = set(re.findall(r"^\| `([A-Z]\w+)` \|", page(), re.MULTILINE))
    assert listed == {it.__name__ for it in told() if not issubclass(it, Occupied)}


def test_every_reason_to_wait_is_explained() -> None:
    assert set(RECORDS) == {reason.value for reason in Reason}
    assert set(OBJECTS) == {kind.value for kind in FailureKind}


def test_every_page_that_a_hint_names_exists() -> None:
    hints = [it.hint for it in told()]
    hints += [it.todo for it in (*RECORDS.values(), *OBJECTS.values())]
    pages = re.findall(r"docs/[\w./-]+?\.md", " ".join(hints))
    assert len(pages) > 3
    assert [it for it in pages if not (ROOT / it).exists()] == []


def test_every_page_of_the_manual_is_in_its_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    pages = [it.relative_to(DOCS).as_posix() for it in DOCS.rglob("*.md")]
    outside = [it for it in pages if not it.startswith("adr/") and it != "README.md"]
    assert [it for it in outside if f"({it})" not in index] == []


def test_the_permissions_are_those_that_each_role_needs() -> None:
    columns = (
        needed(Role.PRIMARY),
        needed(Role.ENCLAVE, rehearsing=True),
        needed(Role.ENCLAVE),
    )
    assert needed(Role.PRIMARY) == needed(Role.BACKUP)
    said: tuple[set[str], ...] = (set(), set(), set())
    for row in re.findall(r"^\| (`(?:s3|kms):.*) \|$", OPERATIONS, re.MULTILINE):
        actions, *marks = row.split(" | ")
        for column, mark in zip(said, marks, strict=False):
            column.update(re.findall(r"`([\w:]+)`", actions) if mark == "yes" else ())
    assert said == tuple({one.action for one in column} for column in columns)


def test_the_longest_wait_is_what_limits_and_tasks_make_of_it() -> None:
    limits, store = Limits(), S3Settings(site=SiteName("any"), bucket="any")
    attempt = store.connect_timeout_s + store.read_timeout_s
    call = limits.call_s_max + attempt
    waits = run_stripes.retry_delay_seconds
    assert isinstance(waits, list)
    assert len(waits) == run_stripes.retries
    jitter = 1 + (run_stripes.retry_jitter_factor or 0)
    stripe = (len(waits) + 1) * call + sum(waits) * jitter
    between = [WAIT_S * 2**attempt for attempt in range(limits.attempts - 1)]
    slow = [min(limits.wait_s_max, THROTTLED_WAIT_S * 2**n) for n in range(limits.attempts - 1)]
    for says in (
        f"**{call:g} seconds** by a command",
        f"**{round(stripe)} seconds ({stripe / 60:.1f} minutes)**",
        f"10 + 60 = {attempt:g} |",
        f" {call:g} = {(len(waits) + 1) * call:g} |",
        f"({' + '.join(str(wait) for wait in waits)})",
        f"| {sum(waits) * jitter:g} |",
        f"| **{stripe:g}** |",
        f"with {sum(between):g} seconds of waiting between them at most, or {sum(slow):g}",
        f"waited for {BUSY_MS / 1000:g} seconds",
    ):
        assert says in OPERATIONS


def test_states_of_flow_runs_are_told_with_their_codes() -> None:
    assert ", ".join(f"{name} ({code})" for code, name in STATES.items()) in OPERATIONS


def test_the_shapes_of_json_name_every_count() -> None:
    shapes = (DOCS / "json.md").read_text("utf-8")
    told = [
        it.name for cls in (Outcome, VerifyOutcome, Comparison, Audit, Tally) for it in fields(cls)
    ]
    unsaid = {"facts", "batch", "why"}  # The report's own; and what is told by other names.
    assert [
        name for name in told if name not in unsaid and not re.search(rf"\b{name}\b", shapes)
    ] == []
