"""What a run leaves in Prefect's UI: a summary that a manager can read, and a table per region.

Counts and names only. A server that does not take them costs a picture and never the run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.board import quietly
from flows.report import story, verification
from flows.report.numbers import count, duration, rate, size
from flows.report.outcome import Moved, Outcome
from flows.report.planned import PlannedRow, planned_rows, warnings_of
from flows.report.story import Point
from flows.report.verification import VerifyOutcome
from repatria.plan import Plan

REGIONS_MAX: Final = 6
"""Regions of a run that have a table each. Of more, cards would bury the summary: one has all."""

WHOLE: Final = "stayed: of the whole dataset; rate: of the whole run"

Table = list[dict[str, str]]


def outcome(found: Outcome) -> None:
    """Leave the summary and the tables of a rehearsal or a migration."""
    _markdown("summary", summary(found), story.headline(found))
    tables = by_region(found)
    moved = "what would move" if found.rehearsed else "what stands at home"
    everywhere = [{"region": region, **row} for region, rows in tables.items() for row in rows]
    _table("regions", everywhere, f"All regions: {moved}, and what waits ({WHOLE})")
    if len(tables) <= REGIONS_MAX:
        for region, rows in tables.items():
            _table(_key("region", region), rows, f"{region}: {moved}, and what waits ({WHOLE})")


def comparison(found: VerifyOutcome) -> None:
    """Leave the summary and the table of a verification."""
    lines = [f"# {verification.headline(found)}", "", *_points(verification.points(found))]
    _markdown("verification", "\n".join(lines), verification.headline(found))
    rows = [
        {
            "dataset": one.dataset,
            "region": one.region,
            "matched": count(one.matched),
            "missing": count(one.missing),
            "extra": count(one.extra),
            "altered": count(one.altered),
            "unverified": count(one.unverified),
        }
        for one in found.sums
    ]
    _table("compared", rows, "Both sides, record by record")


def planned(plan: Plan) -> None:
    """Leave the summary and the table of a plan."""
    extent = f"{count(plan.slice_count)} slices, {size(plan.bytes)}, {len(plan.regions)} regions"
    lines = [
        f"# Plan {plan.digest[:12]}",
        "",
        f"{extent}. Valid until {plan.expires_at:%Y-%m-%d %H:%M} UTC.",
        "",
        *(f"* {warning}" for warning in warnings_of(plan)),
    ]
    _markdown("plan", "\n".join(lines), f"Plan {plan.digest[:12]}")
    _table("plan-datasets", [_planned(row) for row in planned_rows(plan)], "What the plan holds")


def summary(found: Outcome) -> str:
    """Write a page that a manager can read."""
    would = _would(found)
    figures = (
        ("Records read by this run", count(found.tally["read"])),
        (f"Records {would} moved", count(sum(moved.rows for moved in found.moved))),
        (f"Bytes {would} written", size(sum(moved.bytes for moved in found.moved))),
        ("Records in quarantine", count(found.waiting)),
        ("Objects that could not be finished", count(len(found.failures))),
        ("Time", duration(found.seconds)),
        ("Speed", rate(found.rows_per_s)),
        ("Plan", f"`{found.plan[:12]}`"),
        ("Run", f"`{found.run}`"),
    )
    lines = [f"# {story.headline(found)}", "", "| What | How much |", "|:--|--:|"]
    lines += [f"| {name} | {value} |" for name, value in figures]
    lines += ["", *_points(story.points(found)), f"Next: `{story.next_step(found)}`"]
    lines += [f"Report: `{path}`" for path in found.reports[:1]]
    return "\n".join(lines)


def by_region(found: Outcome) -> Mapping[str, Table]:
    """Return a table per region: one row per dataset."""
    moved = sorted(found.moved, key=lambda one: (one.region, one.dataset))
    parts = groupby(moved, key=lambda one: one.region)
    return {region: [_row(found, one) for one in rows] for region, rows in parts if region != "?"}


def _row(found: Outcome, moved: Moved) -> dict[str, str]:
    """Tell one dataset in one region; what stayed is the dataset's, the rate the run's."""
    account = found.accounts.get(moved.dataset, {})
    return {
        "dataset": moved.dataset,
        "moved": count(moved.rows),
        "quarantined": count(moved.waiting),
        "verified": count(moved.verified),
        "bytes": size(moved.bytes),
        "stayed": count(account.get("stayed")),
        "rate": rate(found.rows_per_s),
    }


def _planned(row: PlannedRow) -> dict[str, str]:
    return {
        "dataset": row.dataset,
        "objects": count(row.objects),
        "bytes": size(row.bytes),
        "records (estimate)": count(row.rows),
        "moving (estimate)": count(row.moving),
        "reading takes": duration(row.seconds),
    }


def _would(found: Outcome) -> str:
    return "that would be" if found.rehearsed else "that were"


def _points(points: Iterable[Point]) -> list[str]:
    told = [
        f"* {point.what}"
        + "".join(f"\n  * {why}" for why in point.because)
        + "".join(f"\n  * `{name}`" for name in point.names)
        + (f"\n  * → {point.todo}" if point.todo else "")
        for point in points
    ]
    return ["## What waits", "", *told, ""] if told else []


def _key(kind: str, name: str) -> str:
    """Return a key as Prefect allows it: lower case letters, digits, dashes."""
    return f"{kind}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}"


def _markdown(key: str, text: str, description: str) -> None:
    _leave(lambda: create_markdown_artifact(text, key=key, description=description))


def _table(key: str, rows: Sequence[Mapping[str, str]], description: str) -> None:
    table = [dict(row) for row in rows]
    _leave(lambda: create_table_artifact(table, key=key, description=description))


def _leave(create: Callable[[], object]) -> None:
    quietly(get_run_logger(), create)
