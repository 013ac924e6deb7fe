"""What stands after the whole job: asked of the ledger, the rehearsal's report, and the homes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.report.outcome import accounted, failed, gathered, standing
from flows.report.rehearsal import FOLDER
from flows.wiring import open_house
from flows.world.homes import Counts, count_homes
from flows.world.servers import World
from repatria import status
from repatria.batch import Reason
from repatria.names import DatasetName, RegionName
from repatria.ports.ledger import Comparison, Ledger, Verdict

Waits = Mapping[tuple[DatasetName, Reason], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a rehearsal or a migration says that it came to.

    ``accounts`` has read, stayed, superseded and erased per dataset; ``failed`` names objects
    relative to their dataset's prefix.
    """

    accounts: Mapping[DatasetName, Mapping[str, int]]
    moved: Counts
    waits: Waits
    failed: frozenset[tuple[DatasetName, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All of it. ``matched`` and ``differing`` are the verification's, ``parcels`` a stranger's."""

    rehearsed: Told
    moved: Told
    matched: Counts
    differing: int
    unverified: int
    parcels: Counts


def look(world: World, config: Path) -> Found:
    """Gather everything once. Reads every parcel of the world."""
    with open_house(config) as house:
        ledger = house.ledger(read_only=True)
        compared = _compared(ledger, status.gather(ledger, house.clock.now()))
        homes = {region.name: region.home for region in house.atlas.regions}
        return Found(
            rehearsed=_rehearsed(house.state),
            moved=_moved(ledger),
            matched=_sums(compared),
            differing=sum(one.missing + one.extra + one.altered for one in compared),
            unverified=sum(one.unverified for one in compared),
            parcels=count_homes(world, homes),
        )


def _compared(ledger: Ledger, now: status.Status) -> list[Comparison]:
    run = now.verification
    return list(ledger.comparisons(run.id)) if run is not None else []


def _sums(compared: list[Comparison]) -> Counts:
    sums: Counter[tuple[DatasetName, RegionName]] = Counter()
    for one in compared:
        sums[one.dataset, one.region] += one.matched
    return +sums


def _moved(ledger: Ledger) -> Told:
    waits = gathered(ledger.waiting(verdict=Verdict.OPEN))
    moved = [
        {"dataset": one.dataset, "region": one.region, "rows": one.rows}
        for one in standing(ledger, waits)
    ]
    return _told(
        {
            "accounts": accounted(ledger),
            "moving": moved,
            "quarantine": waits,
            "failures": failed(ledger.failures()),
        }
    )


def _rehearsed(state: Path) -> Told:
    reports = sorted((state / FOLDER).glob("rehearsal-*.json"))
    return _told(json.loads(reports[-1].read_text("utf-8")))


def _told(facts: Mapping[str, Any]) -> Told:
    moved: Counter[tuple[DatasetName, RegionName]] = Counter()
    for one in facts["moving"]:
        moved[DatasetName(one["dataset"]), RegionName(one["region"])] += one["rows"]
    waits: Counter[tuple[DatasetName, Reason]] = Counter()
    for one in facts["quarantine"]:
        waits[DatasetName(one["dataset"]), Reason(one["reason"])] += one["rows"]
    kinds = ("read", "stayed", "superseded", "erased")
    return Told(
        accounts={
            DatasetName(name): {kind: account[kind] for kind in kinds}
            for name, account in facts["accounts"].items()
        },
        moved=+moved,
        waits=+waits,
        failed=frozenset(
            (DatasetName(one["dataset"]), one["object"].rpartition(" at ")[0])
            for one in facts["failures"]
        ),
    )
