"""What a verification found, as values that any screen can show and JSON can hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from flows.report.numbers import count, plural
from flows.report.story import Point

ANY: Final = "*"
"""Stands for no region: of a slice that holds nothing of the regions asked for, or was not read."""
UNREAD: Final = ": the source: "
"""In every reason why something could not be compared, and in no other."""
WHYS_SHOWN: Final = 20
"""Reasons that are told; the rest are counted."""

if TYPE_CHECKING:
    from flows.checking import Verification
    from repatria.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Both sides of one dataset and region; ``region`` "*" where the source was not read."""

    dataset: str
    region: str
    matched: int
    missing: int
    extra: int
    altered: int
    unverified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOutcome:
    """How a verification ended.

    ``strays`` are objects at home that no receipt names, ``unlisted`` manifests that list something
    else than the receipts, ``unplanned`` records at home that nothing planned answers for,
    ``drifted`` source objects that are new, changed or gone since the plan.
    """

    run: str
    plan: str
    exit_code: int
    seconds: float
    sums: Sequence[Compared]
    whys: Sequence[str]
    strays: int
    unlisted: int
    unplanned: int
    drifted: int
    waiting: int
    failures: int

    def total(self, name: str) -> int:
        """Add up one kind of result."""
        return sum(getattr(found, name) for found in self.sums)

    def told(self) -> dict[str, Any]:
        """Return this as ``--json`` shows it."""
        return asdict(self)


def verified(found: Verification, plan: Plan, seconds: float) -> VerifyOutcome:
    """Tell a verification in plain values."""
    return VerifyOutcome(
        run=found.run,
        plan=plan.digest,
        exit_code=found.exit_code,
        seconds=seconds,
        sums=[
            Compared(
                dataset=dataset,
                region=region,
                matched=sum_.matched,
                missing=sum_.missing,
                extra=sum_.extra,
                altered=sum_.altered,
                unverified=sum_.unverified,
            )
            for (dataset, region), sum_ in sorted(found.sums.items())
            if region != ANY or sum_.unverified or sum_.extra
        ],
        whys=found.whys,
        strays=found.strays,
        unlisted=found.unlisted,
        unplanned=found.unplanned,
        drifted=found.drifted,
        waiting=found.waiting,
        failures=found.failures,
    )


def headline(outcome: VerifyOutcome) -> str:
    """Say in one line how it ended."""
    matched = plural(outcome.total("matched"), "record")
    if outcome.exit_code == 0:
        return f"Both sides agree: {matched} matched, and nothing else was found."
    if outcome.exit_code == 11:
        return f"The sides do not agree. {matched} matched; the rest is below."
    return f"{matched} matched; nothing differs, but not everything could be compared or moved."


def points(outcome: VerifyOutcome) -> Iterator[Point]:
    """Say what differs or waits."""
    told = {
        "missing": (
            "{} at the source and not at home.",
            "Run `repatria migrate --live`, then verify again.",
        ),
        "extra": (
            "{} at home and not at the source.",
            "If the source changed after the move: `repatria plan`, then migrate and verify again.",
        ),
        "altered": (
            "{} at home in another form than at the source.",
            "Find out who wrote to the home site; see docs/runbooks/failed-batch.md.",
        ),
        "unverified": (
            "{} could not be compared, which is never the same as agreeing.",
            "Mend what stood in the way, then verify again.",
        ),
    }
    unread = [why for why in outcome.whys if UNREAD in why]
    for name, (what, todo) in told.items():
        if number := outcome.total(name):
            noun = "slice or batch" if name == "unverified" else "record"
            many = "slices or batches" if name == "unverified" else "records"
            because = first_few(unread) if name == "unverified" else ()
            yield Point(what.format(plural(number, noun, many)), todo, because=because)
    if differs := [why for why in outcome.whys if UNREAD not in why]:
        yield Point("The comparison says of what differs:", because=first_few(differs))
    for number, noun, what, todo in _beside(outcome):
        if number:
            yield Point(f"{plural(number, noun)} {what}.", todo)


def first_few(whys: Sequence[str]) -> tuple[str, ...]:
    """Return the first reasons, and how many more there are."""
    rest = len(whys) - WHYS_SHOWN
    return (*whys[:WHYS_SHOWN], *((f"and {count(rest)} more",) if rest > 0 else ()))


def _beside(outcome: VerifyOutcome) -> tuple[tuple[int, str, str, str], ...]:
    """Return what was found beside the comparison of records."""
    return (
        (
            outcome.strays,
            "object",
            "at home that no receipt names, or overwritten, or removed",
            "Find out who did it; `repatria status` says what should be there.",
        ),
        (
            outcome.unlisted,
            "manifest",
            "out of step with the receipts",
            "Find out who wrote it; `repatria migrate --live` publishes it anew.",
        ),
        (
            outcome.unplanned,
            "record",
            "at home that nothing planned answers for",
            "An object is gone, or a dataset, region or home was renamed: find out which.",
        ),
        (
            outcome.drifted,
            "source object",
            "new, changed or gone since the plan was made",
            "Run `repatria plan`, migrate, then verify again.",
        ),
        (
            outcome.waiting,
            "record",
            "in quarantine",
            "Decide with `repatria quarantine list`.",
        ),
        (
            outcome.failures,
            "object",
            "that could not be finished",
            "`repatria status` names them, and says what to do.",
        ),
    )
