"""An outcome in words: how it ended in one line, what waits, and what to do next.

Pure: takes values, returns sentences. Whoever reads them has not read the manual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.report.numbers import count, plural
from flows.report.outcome import Narrowed, Outcome
from flows.report.reasons import of_object, of_record

NAMED_MAX = 6
"""Regions or datasets that a sentence names; the rest are counted."""
OBJECTS_NAMED = 5
"""Failed objects of one kind that are named; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that waits for somebody, and what they can do."""

    what: str
    todo: str = ""
    names: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


def headline(outcome: Outcome) -> str:
    """Say in one line how it ended."""
    if outcome.state == "complete" and outcome.rehearsed:
        return "The rehearsal found nothing in the way. Nothing was written."
    if outcome.state == "complete":
        return f"{_everything(outcome.narrowed)}, and the books balance."
    waits = "some of it would wait for a person" if outcome.rehearsed else "some of it waits"
    done = "Rehearsed to the end" if outcome.rehearsed else "Moved as far as it goes"
    return f"{done}, but {waits}."


def _everything(narrowed: Sequence[Narrowed]) -> str:
    if not narrowed:
        return "Everything in the plan has moved"
    parts = (f"{it.kind} {first(it.asked)}; the plan has {count(it.planned)}" for it in narrowed)
    return f"Everything asked for has moved ({', '.join(parts)})"


def first(names: Sequence[str]) -> str:
    """Name the first few, and count the rest."""
    rest = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {count(rest)} more" if rest > 0 else "")


def moved_so_far(rows: int, *, rehearsed: bool) -> str:
    """Say how many records a run under way has moved, or would have."""
    return f"{count(rows)} {'would move' if rehearsed else 'moved'}"


def points(outcome: Outcome) -> list[Point]:
    """Say what waits, most numerous first within each kind."""
    return [*_quarantine(outcome), *_failures(outcome), *_audit(outcome)]


def _quarantine(outcome: Outcome) -> Iterator[Point]:
    sums: Counter[tuple[str, str]] = Counter()
    for entry in outcome.quarantine:
        sums[entry["dataset"], entry["reason"]] += entry["rows"]
    for (dataset, reason), rows in sums.most_common():
        meaning = of_record(reason)
        wait = "would wait" if outcome.rehearsed else "wait" if rows != 1 else "waits"
        each = "each" if rows != 1 else "it"
        what = f"{plural(rows, 'record')} of {dataset} {wait} ({reason}): {each} {meaning.means}."
        yield Point(what, meaning.todo)


def _failures(outcome: Outcome) -> Iterator[Point]:
    kinds = Counter(failure["kind"] for failure in outcome.failures)
    for kind, number in kinds.most_common():
        meaning = of_object(kind)
        named = [failed["object"] for failed in outcome.failures if failed["kind"] == kind]
        rest = len(named) - OBJECTS_NAMED
        tail = (f"and {count(rest)} more",) if rest > 0 else ()
        each = "each" if number != 1 else "it"
        what = f"{plural(number, 'object')} could not be finished ({kind}): {each} {meaning.means}."
        yield Point(what, meaning.todo, (*named[:OBJECTS_NAMED], *tail))


def _audit(outcome: Outcome) -> Iterator[Point]:
    again = "Run `repatria plan`, then the same command again."
    told = {
        "unfinished": ("of the plan without a full set of receipts", "slice", "Run it again."),
        "new": ("came to the source after the plan was made", "object", again),
        "changed": ("changed at the source after the plan was made", "object", again),
        "gone": (
            "disappeared from the source",
            "object",
            "If they were removed on purpose, plan again; if not, find out who removed them.",
        ),
        "empty": (
            "without a single object at the source",
            "dataset",
            "See whether its prefix is right: finding nothing is not the same as having nothing.",
        ),
        "left": (
            "at home whose place at the source is in the plan no more",
            "record",
            "Find out what became of their objects: nothing is removed at home without a decision.",
        ),
    }
    for name, (what, noun, todo) in told.items():
        number = outcome.audit.get(name, 0)
        explained = name == "unfinished" and number <= len(outcome.failures)
        sampled = name == "unfinished" and outcome.rehearsed
        if number and not explained and not sampled:
            yield Point(f"{plural(number, noun)} {what}.", todo)


def next_step(outcome: Outcome) -> str:
    """Say which command comes next."""
    if outcome.rehearsed:
        return "repatria migrate --live"
    if outcome.quarantine:
        return "repatria quarantine list"
    if outcome.state != "complete":
        return "repatria status"
    asked = [f" --{it.kind[:-1]} {name}" for it in outcome.narrowed for name in it.asked]
    return "repatria verify" + "".join(asked)
