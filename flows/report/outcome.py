"""What a run came to, as values that any screen can show and JSON can hold.

Built from an engine's ending and the ledger's sums, once, by whoever ran the job; the terminal,
the artifacts and ``--json`` all tell the same outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flows.report.facts import FailureFacts, QuarantineFacts, RehearsalFacts

if TYPE_CHECKING:
    from repatria.campaign import Ending
    from repatria.plan import Plan
    from repatria.ports.ledger import Failure, Ledger, Quarantined
    from repatria.stripe import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What stands at home of one dataset and region; ``verified`` None where nobody looked."""

    dataset: str
    region: str
    rows: int
    bytes: int
    waiting: int = 0
    verified: int | None = None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """An order for less than the plan: ``kind`` is "datasets" or "regions"."""

    kind: str
    asked: Sequence[str]
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a rehearsal or a migration ended.

    ``tally`` counts this run alone; ``moved``, ``accounts``, ``quarantine`` and ``failures``
    tell what stands after it, earlier runs included. ``narrowed`` tells where less was asked for
    than the plan holds.
    """

    verb: str
    mode: str
    run: str
    plan: str
    state: str
    exit_code: int
    seconds: float
    tally: Mapping[str, int]
    accounts: Mapping[str, Mapping[str, int]]
    moved: Sequence[Moved]
    quarantine: Sequence[QuarantineFacts]
    failures: Sequence[FailureFacts]
    audit: Mapping[str, int]
    reports: Sequence[str] = ()
    narrowed: Sequence[Narrowed] = ()
    facts: RehearsalFacts | None = field(default=None, repr=False)

    @property
    def rehearsed(self) -> bool:
        """Whether nothing was written."""
        return self.mode != "live"

    @property
    def waiting(self) -> int:
        """Records in quarantine."""
        return sum(entry["rows"] for entry in self.quarantine)

    @property
    def rows_per_s(self) -> float | None:
        """Records read per second by this run."""
        read = self.tally["read"]
        return read / self.seconds if read and self.seconds > 0 else None

    def told(self) -> dict[str, Any]:
        """Return everything but the report's own facts, as ``--json`` shows it."""
        told = asdict(self)
        del told["facts"]
        return {**told, "rows_per_s": self.rows_per_s, "waiting": self.waiting}


def gathered(waiting: Iterable[Quarantined]) -> list[QuarantineFacts]:
    """Add up quarantined records by dataset, reason and region."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for entry in waiting:
        sums[entry.dataset, entry.reason.value, entry.region or "?"] += entry.rows
    return [
        QuarantineFacts(dataset=dataset, reason=reason, region=region, rows=rows)
        for (dataset, reason, region), rows in sorted(sums.items())
    ]


def failed(failures: Iterable[Failure]) -> list[FailureFacts]:
    """Tell failures in order of dataset, site and object."""
    told = [
        FailureFacts(
            dataset=failure.dataset,
            site=failure.site,
            object=failure.label,
            kind=failure.kind.value,
            why=failure.why,
        )
        for failure in failures
    ]
    return sorted(told, key=lambda it: (it["dataset"], it["site"], it["object"]))


def counts(tally: Tally) -> dict[str, int]:
    """Tell a tally as a mapping."""
    return {name: getattr(tally, name) for name in tally.__slots__}


def narrowed(plan: Plan, datasets: Sequence[str], regions: Sequence[str]) -> list[Narrowed]:
    """Tell where an order for these names asks for less than ``plan`` holds; empty means all."""
    return [
        Narrowed(kind, tuple(sorted(set(asked))), len(held))
        for kind, asked, held in (
            ("datasets", datasets, plan.datasets),
            ("regions", regions, plan.regions),
        )
        if asked and set(held) - set(asked)
    ]


def accounted(ledger: Ledger) -> dict[str, dict[str, int]]:
    """Tell what became of every record that was read, per dataset."""
    moved: Counter[str] = Counter()
    for found in ledger.moved():
        moved[found.dataset] += found.rows
    told = {}
    for name, facts in ledger.accounts().items():
        gone = sum(facts[kind] for kind in ("erased", "quarantined", "superseded"))
        rest = {"moved": moved[name], "stayed": facts["read"] - gone - moved[name]}
        told[str(name)] = {**facts, **rest}
    return told


def standing(ledger: Ledger, waiting: Sequence[QuarantineFacts]) -> list[Moved]:
    """Tell what the receipts of a ledger have moved, and what waits beside it."""
    beside: Counter[tuple[str, str]] = Counter()
    for entry in waiting:
        beside[entry["dataset"], entry["region"]] += entry["rows"]
    sums = {(str(found.dataset), str(found.region)): found for found in ledger.moved()}
    told = []
    for dataset, region in sorted({*sums, *beside}):
        found = sums.get((dataset, region))
        told.append(
            Moved(
                dataset=dataset,
                region=region,
                rows=found.rows if found else 0,
                bytes=found.bytes if found else 0,
                waiting=beside[dataset, region],
            )
        )
    return told


AUDITED: Final = ("unfinished", "new", "changed", "gone", "empty", "left")


def audited(ending: Ending) -> dict[str, int]:
    """Tell what does not agree at the end, in counts."""
    return {name: getattr(ending.audit, name) for name in AUDITED}
