"""What a plan holds and will take, row by row, from the estimates that stand beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from repatria.names import DatasetName
    from repatria.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One dataset of a plan. ``rows`` and ``moving`` are estimates; ``cost`` None: not known."""

    dataset: str
    objects: int
    bytes: int
    slices: int
    archived: int
    rows: int
    moving: int
    moving_low: int
    moving_high: int
    moving_bytes: int
    parcels: int
    requests: int
    seconds: float
    cost: float | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class PlannedRegion:
    """One region of a plan: estimated records per dataset."""

    region: str
    rows: Mapping[str, int]


def planned_rows(plan: Plan) -> list[PlannedRow]:
    """Return a row per dataset."""
    return [_row(name, facts) for name, facts in _datasets(plan).items()]


def planned_regions(plan: Plan) -> list[PlannedRegion]:
    """Return a row per region in which records were found, the largest first."""
    found: dict[str, dict[str, int]] = {}
    for name, facts in _datasets(plan).items():
        for region, rows in facts["regions"].items():
            found.setdefault(region, {})[name] = int(rows)
    rows = [PlannedRegion(region, told) for region, told in found.items()]
    return sorted(rows, key=lambda row: (-sum(row.rows.values()), row.region))


def slices_of(plan: Plan, sample: float | None = None) -> dict[DatasetName, int]:
    """Return how many slices of each dataset a run of ``plan`` has before it."""
    facts = _datasets(plan)
    return {
        name: max(1, round(int(facts[name]["slices"]) * (1 if sample is None else sample)))
        for name in plan.datasets
        if name in facts
    }


def warnings_of(plan: Plan) -> list[str]:
    """Return what stood against a live run when the plan was made."""
    told = plan.estimates.get("warnings", ())
    assert isinstance(told, Sequence), "warnings are a list"
    archived = [
        f"{row.archived} objects of {row.dataset} are archived and must be restored to be read"
        for row in planned_rows(plan)
        if row.archived
    ]
    return [*map(str, told), *archived]


def told(plan: Plan) -> dict[str, Any]:
    """Return a plan as ``--json`` shows it."""
    return {
        "digest": plan.digest,
        "config_digest": plan.config_digest,
        "datasets": list(plan.datasets),
        "regions": list(plan.regions),
        "slices": plan.slice_count,
        "stripes": plan.stripe_count,
        "bytes": plan.bytes,
        "made_at": plan.made_at.isoformat(timespec="seconds"),
        "expires_at": plan.expires_at.isoformat(timespec="seconds"),
        "estimates": dict(plan.estimates),
    }


def _datasets(plan: Plan) -> Mapping[str, Mapping[str, Any]]:
    facts = plan.estimates.get("datasets", {})
    assert isinstance(facts, Mapping), "estimates are kept by dataset"
    return facts


def _row(name: str, facts: Mapping[str, Any]) -> PlannedRow:
    low, high = facts["moving_rows_range"]
    cost = facts["cost"]
    return PlannedRow(
        dataset=name,
        objects=facts["objects"],
        bytes=facts["bytes"],
        slices=facts["slices"],
        archived=facts["archived"],
        rows=facts["rows"],
        moving=facts["moving_rows"],
        moving_low=low,
        moving_high=high,
        moving_bytes=facts["moving_bytes"],
        parcels=facts["parcels"],
        requests=sum(facts["requests"].values()),
        seconds=facts["read_seconds"],
        cost=cost["egress"] + cost["requests"] if cost["known"] else None,
        currency=cost.get("currency"),
    )
