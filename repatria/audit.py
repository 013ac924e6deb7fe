"""The end of a run, checked: receipts = plan, and plan = a new listing of the source (law 1).

Everything streams: stripes one at a time, listings in step with the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from repatria.dataset import Dataset
from repatria.inventory import Inventory, Sources
from repatria.names import DatasetName, SiteName
from repatria.plan import Plan
from repatria.ports.ledger import Failure, Ledger, Plans, Receipts
from repatria.ports.records import Source
from repatria.site import Region
from repatria.stray import Homes, unplanned
from repatria.stripe import History
from repatria.transfer import complete, destinations


@dataclass(slots=True)
class Audit:
    """What does not agree, in counts. All zero: it does."""

    unfinished: int = 0  #: Slices of the plan without a full set of receipts.
    new: int = 0  #: Objects that the source has and the plan has not.
    changed: int = 0  #: Objects that are another version now.
    gone: int = 0  #: Objects that the source no longer has.
    empty: int = 0  #: Datasets of the plan of which the listing found no object at all.
    left: int = 0  #: Records at home that nothing planned or configured answers for.

    @property
    def clean(self) -> bool:
        """Whether receipts, plan and listing are equal."""
        drifted = self.new or self.changed or self.gone
        return not (self.unfinished or drifted or self.empty or self.left)


def audit_receipts(
    audit: Audit, plan: Plan, plans: Plans, receipts: Receipts, scope: Sequence[Region]
) -> None:
    """Count the slices of ``plan`` whose receipts do not reach their end for all of ``scope``.

    A dataset without a slice has nothing to be finished, and is counted as empty: a wrong prefix
    looks just so, and nothing passes on a blank (law 7).
    """
    blank = set(plan.datasets)
    for stripe in plans.stripes(plan.digest):
        if stripe.dataset not in plan.datasets:
            continue
        blank.discard(stripe.dataset)
        history = History.of(receipts, stripe.slices)
        for piece in stripe.slices:
            found = history.of_piece(piece)
            whole = bool(found) and found[-1].last and all(complete(r, scope) for r in found)
            audit.unfinished += not whole
    audit.empty += len(blank)


@dataclass(frozen=True, slots=True)
class Configured:
    """What the configuration has: every dataset, and where every region belongs."""

    datasets: Mapping[DatasetName, Dataset]
    homes: Homes

    @classmethod
    def of(cls, datasets: Mapping[DatasetName, Dataset], regions: Iterable[Region]) -> Configured:
        """Return what these datasets and regions come to."""
        return cls(datasets, {region.name: destinations(region) for region in regions})


def moot(failures: Iterable[Failure], plan: Plan, plans: Plans) -> list[Failure]:
    """Return the failures at versions that ``plan`` does not read: mended or removed since."""
    left = {(failure.slice, failure.version): failure for failure in failures}
    for stripe in plans.stripes(plan.digest) if left else ():
        for piece in stripe.slices:
            left.pop((piece.id, piece.version), None)
    return list(left.values())


def audit_left(
    audit: Audit, plan: Plan, plans: Plans, ledger: Ledger, configured: Configured
) -> None:
    """Count what stands at home and is answered for by nothing that is planned or configured.

    Its object is gone, or has fewer cuts, or the backup's now only repeats the primary's; its
    dataset has another name, or its region another home. What was moved still counts in a
    manifest, and nobody has said what shall become of it.
    """
    for name in plan.datasets:
        planned = (
            piece.id
            for stripe in plans.stripes(plan.digest)
            if stripe.dataset == name
            for piece in stripe.slices
        )
        audit.left += unplanned(ledger, name, planned, configured.homes)
    for name in sorted(set(ledger.accounts()) - set(configured.datasets)):
        audit.left += sum(receipt.moved for receipt in ledger.receipts(name))


def audit_listing(
    audit: Audit,
    plan: Plan,
    plans: Plans,
    sources: Sources,
    datasets: Mapping[DatasetName, Dataset],
) -> None:
    """Compare ``plan`` with the sources as they are listed now."""
    for name in plan.datasets:
        inventory = Inventory(sources=sources, dataset=datasets[name])
        for source in (sources.primary, sources.backup):
            if source is not None:
                _compare(
                    audit, _listed(inventory, source), _planned(plan, plans, name, source.site)
                )


def _listed(inventory: Inventory, source: Source) -> Iterator[tuple[str, str]]:
    for where, found in inventory.objects():
        if where is source:
            yield source.relative(inventory.dataset, found.object), found.object.etag


def _planned(
    plan: Plan, plans: Plans, dataset: DatasetName, site: SiteName
) -> Iterator[tuple[str, str]]:
    for stripe in plans.stripes(plan.digest):
        if stripe.dataset == dataset:
            for piece in stripe.slices:
                if piece.site == site and piece.number == 0:
                    yield piece.relative, piece.object.etag


def _compare(
    audit: Audit, listed: Iterable[tuple[str, str]], planned: Iterable[tuple[str, str]]
) -> None:
    left, right = iter(listed), iter(planned)
    mine, theirs = next(left, None), next(right, None)
    while mine is not None or theirs is not None:
        if theirs is None or (mine is not None and _before(mine, theirs)):
            audit.new += 1
            mine = next(left, None)
        elif mine is None or _before(theirs, mine):
            audit.gone += 1
            theirs = next(right, None)
        else:
            audit.changed += mine[1] != theirs[1]
            mine, theirs = next(left, None), next(right, None)


def _before(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0].encode("utf-8") < other[0].encode("utf-8")
