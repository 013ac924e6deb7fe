"""Status: what the ledger knows now, per region and dataset, as values that any screen can show.

Everything comes from sums that the ledger makes, so that a look costs the same at any size; the
figures only grow with receipts, so that progress never runs backwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from repatria.names import DatasetName, RegionName
from repatria.plan import Plan
from repatria.ports.ledger import (
    PROCESS,
    Comparison,
    Failure,
    Ledger,
    Run,
    RunState,
    Verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One dataset in one region. ``expected`` is an estimate; None where there is none.

    ``verified`` counts records that the newest verification matched; ``differing`` those that it
    found missing, extra or altered.
    """

    dataset: DatasetName
    region: RegionName
    rows: int = 0
    bytes: int = 0
    expected: int | None = None
    verified: int | None = None
    differing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything that ``repatria status`` tells."""

    at: datetime
    plan: Plan | None
    run: Run | None
    cells: Sequence[Cell]
    accounts: Mapping[DatasetName, Mapping[str, int]]
    stripes_done: int
    failures: Sequence[Failure]
    waiting: Mapping[tuple[DatasetName, str, str], int]
    dropped: int
    verification: Run | None
    unverified: int = 0
    gone: bool = False  #: The run says that it goes on, and its process is known to be dead.

    @property
    def rows_per_s(self) -> float | None:
        """Records read per second by the newest migration, or None where it read none."""
        run = self.run
        if run is None:
            return None
        seconds = ((run.ended_at or self.at) - run.began_at).total_seconds()
        read = run.summary.get("read")
        return int(str(read)) / seconds if read and seconds > 0 else None


def gather(
    ledger: Ledger, now: datetime, dead: Callable[[str], bool] = lambda _holder: False
) -> Status:
    """Ask the ledger everything once. ``dead`` knows of a process whether it is gone."""
    plan = ledger.plan()
    runs = ledger.runs()
    verification = next((run for run in runs if run.verb == "verify"), None)
    comparisons = _sums(ledger, verification)
    run = next((run for run in runs if run.verb == "migrate"), None)
    waiting: Counter[tuple[DatasetName, str, str]] = Counter()
    dropped = 0
    for entry in ledger.waiting():
        if entry.verdict is Verdict.OPEN:
            waiting[entry.dataset, entry.reason.value, entry.region or "?"] += entry.rows
        elif entry.verdict is Verdict.DROP:
            dropped += entry.rows
    return Status(
        at=now,
        plan=plan,
        run=run,
        cells=_cells(ledger, plan, run, comparisons),
        accounts=ledger.accounts(),
        stripes_done=len(ledger.stripes_done(plan.digest)) if plan is not None else 0,
        failures=ledger.failures(),
        waiting=dict(waiting),
        dropped=dropped,
        verification=verification,
        unverified=sum(found.unverified for found in comparisons.values()),
        gone=run is not None
        and run.state is RunState.RUNNING
        and dead(str(run.summary.get(PROCESS, ""))),
    )


def _sums(
    ledger: Ledger, verification: Run | None
) -> dict[tuple[DatasetName, RegionName], Comparison]:
    if verification is None:
        return {}
    sums: dict[tuple[DatasetName, RegionName], Comparison] = {}
    for found in ledger.comparisons(verification.id):
        key = (found.dataset, found.region)
        before = sums.get(key)
        sums[key] = found if before is None else added(before, found)
    return sums


def added(one: Comparison, other: Comparison) -> Comparison:
    """Add what two comparisons of one dataset and region found."""
    return Comparison(
        batch=one.batch,
        dataset=one.dataset,
        region=one.region,
        matched=one.matched + other.matched,
        missing=one.missing + other.missing,
        extra=one.extra + other.extra,
        altered=one.altered + other.altered,
        unverified=one.unverified + other.unverified,
        why=one.why or other.why,
    )


def _cells(
    ledger: Ledger,
    plan: Plan | None,
    run: Run | None,
    comparisons: Mapping[tuple[DatasetName, RegionName], Comparison],
) -> list[Cell]:
    moved = {(found.dataset, found.region): found for found in ledger.moved()}
    expected = _expected(plan)
    if plan is not None and _read_to_the_end(plan, run):
        expected = {key: moved[key].rows if key in moved else 0 for key in {*moved, *expected}}
    cells = []
    differing = {key for key, found in comparisons.items() if _differing(found)}
    for key in sorted({*moved, *expected, *differing}):
        progress, compared = moved.get(key), comparisons.get(key)
        cells.append(
            Cell(
                dataset=key[0],
                region=key[1],
                rows=progress.rows if progress is not None else 0,
                bytes=progress.bytes if progress is not None else 0,
                expected=expected.get(key),
                verified=compared.matched if compared is not None else None,
                differing=_differing(compared),
            )
        )
    return cells


def _read_to_the_end(plan: Plan, run: Run | None) -> bool:
    """Say whether a run of this very plan left nothing but what waits: no estimate is needed."""
    if run is None or run.plan != plan.digest:
        return False
    reach = run.summary.get("datasets"), run.summary.get("regions")
    if reach != (len(plan.datasets), len(plan.regions)):
        return False
    left = run.summary.get("unfinished")
    return left is not None and int(str(left)) <= int(str(run.summary.get("failures", 0)))


def _differing(found: Comparison | None) -> int:
    return found.missing + found.extra + found.altered if found is not None else 0


def _expected(plan: Plan | None) -> dict[tuple[DatasetName, RegionName], int]:
    expected: dict[tuple[DatasetName, RegionName], int] = {}
    per_dataset = plan.estimates.get("datasets", {}) if plan is not None else {}
    assert isinstance(per_dataset, Mapping), "estimates are kept by dataset"
    for dataset, facts in per_dataset.items():
        for region, rows in facts.get("regions", {}).items():
            expected[DatasetName(dataset), RegionName(region)] = int(rows)
    return expected


def told(status: Status) -> dict[str, object]:
    """Return the status as JSON can hold it: the shape that ``--json`` documents."""
    run, plan = status.run, status.plan
    return {
        "at": status.at.isoformat(timespec="seconds"),
        "plan": None
        if plan is None
        else {
            "digest": plan.digest,
            "slices": plan.slice_count,
            "stripes": plan.stripe_count,
            "stripes_done": status.stripes_done,
            "bytes": plan.bytes,
            "expires_at": plan.expires_at.isoformat(timespec="seconds"),
        },
        "run": None if run is None else run_told(run),
        "verification": None if status.verification is None else run_told(status.verification),
        "rows_per_s": status.rows_per_s,
        "cells": [
            {
                "dataset": cell.dataset,
                "region": cell.region,
                "rows": cell.rows,
                "bytes": cell.bytes,
                "expected": cell.expected,
                "verified": cell.verified,
                "differing": cell.differing,
            }
            for cell in status.cells
        ],
        "accounts": {name: dict(facts) for name, facts in status.accounts.items()},
        "failures": [
            {
                "dataset": failure.dataset,
                "site": failure.site,
                "object": failure.label,
                "kind": failure.kind.value,
                "why": failure.why,
                "attempts": failure.attempts,
            }
            for failure in status.failures
        ],
        "quarantine": [
            {"dataset": dataset, "reason": reason, "region": region, "rows": rows}
            for (dataset, reason, region), rows in sorted(status.waiting.items())
        ],
        "gone": status.gone,
        "dropped": status.dropped,
        "unverified": status.unverified,
    }


def run_told(run: Run) -> dict[str, object]:
    """Return one run as JSON can hold it."""
    return {
        "id": run.id,
        "verb": run.verb,
        "mode": run.mode,
        "state": run.state.value,
        "began_at": run.began_at.isoformat(timespec="seconds"),
        "ended_at": run.ended_at.isoformat(timespec="seconds") if run.ended_at else None,
        "summary": dict(run.summary),
    }
