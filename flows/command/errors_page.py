"""Writes docs/errors.md from the errors themselves: ``python -m flows.command.errors_page``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from connectors.sql import patience
from flows import conduct, dask_team, deciding
from flows.command import remote
from flows.command.verb import CODES
from flows.hands import deaths
from flows.report.reasons import OBJECTS, RECORDS, Meaning
from repatria import errors
from repatria.errors import Corrupt, Refused, RepatriaError, Spoilt, Stopped, Superseded, Transient

PAGE: Final = Path(__file__).parents[2] / "docs" / "errors.md"
_PATIENCE: Final = """\
Retried where it arises, call by call, and under Prefect stripe by stripe; `operations.md` says for
how long at most. What reaches you has outlasted that."""
_ASIDE: Final = """\
Never ends a run: the object waits with its reason, the rest goes on, and the run ends incomplete.
`repatria status` lists them."""
_BRANCHES: Final = {
    Transient: ("Wait", _PATIENCE),
    Refused: ("A person must change something", "Never retried: it would be refused again."),
    Superseded: ("Somebody newer is at work", "Nothing is lost, and nothing is to be mended."),
    Stopped: ("Somebody asked to stop", "Everything committed stands."),
    Spoilt: ("One object cannot be used", _ASIDE),
    Corrupt: (
        "Two things that must agree do not",
        "The line stops, and the batch is not committed. Look before you run anything again.",
    ),
}
_INTRODUCTION: Final = """\
# Errors

<!-- Written by `python -m flows.command.errors_page` from the errors themselves. Change those. -->

Failures are sorted by what to do about them. A command says what happened, with names and counts
and never a record, then, behind an arrow, what to do; it exits with the code of the branch. What is
in no branch is a defect: exit 1, and `--debug` shows its trace.

| exit | means |
| --- | --- |
"""
_QUARANTINE: Final = """
## Reasons of the quarantine

What a rule refuses in a single record is no error: the record waits, the run goes on.
[runbooks/quarantine.md](runbooks/quarantine.md) says how to decide.

| reason | the record … | what to do |
| --- | --- | --- |
"""
_OBJECTS: Final = """
## Kinds of objects that could not be finished

| kind | the object … | what to do |
| --- | --- | --- |
"""


def page() -> str:
    """Return the whole page."""
    codes = "".join(f"| {code} | {means} |\n" for code, means in CODES.items())
    branches = "".join(_branch(branch) for branch in _BRANCHES)
    return (
        _INTRODUCTION + codes + branches + _QUARANTINE + _rows(RECORDS) + _OBJECTS + _rows(OBJECTS)
    )


def told() -> list[type[RepatriaError]]:
    """Return every error that the page tells of, in the order of their modules."""
    return [
        found
        for module in (errors, deciding, conduct, deaths, dask_team, patience, remote)
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, RepatriaError)
        and found.__module__ == module.__name__
        and found.hint
    ]


def _branch(branch: type[RepatriaError]) -> str:
    title, what = _BRANCHES[branch]
    head = f"\n## {title}: exit {branch.exit_code}\n\n{what}\n\n| error | means | what to do |\n"
    return head + "| --- | --- | --- |\n" + "".join(_row(it) for it in _under(branch))


def _under(branch: type[RepatriaError]) -> Iterator[type[RepatriaError]]:
    return (found for found in told() if issubclass(found, branch))


def _row(found: type[RepatriaError]) -> str:
    means = " ".join((inspect.getdoc(found) or "").split())
    return f"| `{found.__name__}` | {means} | {found.hint} |\n"


def _rows(meanings: Mapping[str, Meaning]) -> str:
    return "".join(f"| `{name}` | {it.means} | {it.todo} |\n" for name, it in meanings.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
