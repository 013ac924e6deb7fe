"""Makes a plan: lists, cuts, settles the backup, builds directories, groups, estimates, saves.

Nothing is held that grows with the number of objects: slices go to a spool, from which the plan
is digested first and stored second. A directory and a reconciliation are part of what a plan
*is*, so their digests are in its digest. Reconciliations come first: a directory must place a
user where the profile that counts says, whichever site holds it, or one user's records part.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Final

from repatria.dataset import ByDirectory, Dataset
from repatria.errors import PlanRefused
from repatria.inventory import Inventory, Listed, Sources
from repatria.limits import Limits
from repatria.names import DatasetName, RegionName
from repatria.plan import Plan, Stripe
from repatria.planning import Digesting, Frame, stripes
from repatria.ports.ledger import Plans
from repatria.ports.rules import Clock
from repatria.ports.spool import Spool
from repatria.slice import Slice
from repatria.slice_text import chunks, unpack

SAMPLE: Final = 12
"""Slices of the primary, per dataset, that are read in part for the estimates."""


Pieces = Callable[[], Iterator[Slice]]
"""Gives slices from the start, each time anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What planning has made elsewhere: directories, reconciliations, estimates.

    ``reconcile`` settles a dataset's contested slices and returns the digest of the verdicts.
    ``directory`` builds the directory of a dataset from all of its slices and the digest of its
    verdicts (None: nothing is contested), and returns its digest. ``estimate`` reads a sample and
    says what the move will take.
    """

    directory: Callable[[Dataset, Pieces, str | None], str]
    reconcile: Callable[[Dataset, Pieces], str]
    estimate: Callable[[Mapping[DatasetName, Sample], Frame], Mapping[str, object]]
    spool: Callable[[], Spool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Some slices of a dataset, evenly drawn, and what the whole of it came to."""

    dataset: Dataset
    slices: Sequence[Slice]
    slice_count: int
    listed: Listed
    directory: str | None = None


@dataclass(slots=True)
class _Gathered:
    """One dataset's slices, spooled, with the sample drawn on the way."""

    inventory: Inventory
    spool: Spool
    sample: list[tuple[int, str, Slice]] = field(default_factory=list)
    count: int = 0

    def gather(self) -> None:
        for chunk in chunks(self._through()):
            self.spool.append(chunk)

    def _through(self) -> Iterator[Slice]:
        for piece in self.inventory.slices():
            self.count += 1
            if piece.site != self.inventory.sources.primary.site:
                yield piece
                continue
            # Ids are keyed digests, so the smallest are a fair draw, and always the same one.
            rank = (-int(piece.id[:8], 16), piece.id, piece)
            if len(self.sample) < SAMPLE:
                heapq.heappush(self.sample, rank)
            elif rank[0] > self.sample[0][0]:
                heapq.heapreplace(self.sample, rank)
            yield piece

    def slices(self) -> Iterator[Slice]:
        for chunk in self.spool:
            yield from unpack(chunk)

    def told(self, directory: str | None) -> Sample:
        return Sample(
            dataset=self.inventory.dataset,
            slices=[piece for _, _, piece in sorted(self.sample, key=lambda drawn: drawn[1])],
            slice_count=self.count,
            listed=self.inventory.listed,
            directory=directory,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Makes plans."""

    datasets: Mapping[DatasetName, Dataset]
    sources: Sources
    plans: Plans
    limits: Limits
    clock: Clock
    workshop: Workshop

    def plan(
        self, wanted: Sequence[DatasetName], regions: Sequence[RegionName], config: tuple[str, str]
    ) -> Plan:
        """Make and store the plan for ``wanted`` datasets and ``regions``.

        ``config`` is the configuration's digest and canonical text. Raises ``PlanRefused``
        where a dataset is told apart or cut in another way than when it was first moved.
        """
        for name in wanted:
            self._fixed(self.datasets[name])
        with ExitStack() as stack:
            gathered = {
                name: self._gather(self.datasets[name], stack.enter_context(self.workshop.spool()))
                for name in sorted({*wanted, *self._directories(wanted)})
            }
            frame = self._frame(wanted, regions, config[0], gathered)
            passed = Digesting(frame.header)
            for _ in passed.through(self._stripes(wanted, gathered)):
                pass
            plan = frame.plan(passed, self.clock.now(), self.limits.plan_valid_hours)
            samples = {
                name: gathered[name].told(self._directory_of(name, frame)) for name in wanted
            }
            plan = replace(plan, estimates=self.workshop.estimate(samples, frame))
            self.plans.save_config(*config)
            self.plans.save_plan(plan, self._stripes(wanted, gathered))
        return plan

    def _fixed(self, dataset: Dataset) -> None:
        """Refuse to cut or tell apart a dataset in another way than the ledger remembers."""
        now = fixed_text(dataset, self.limits)
        held = self.plans.fix_cutting(dataset.name, now)
        if held != now:
            raise PlanRefused(
                "a dataset's identity and cutting are fixed by its first receipt",
                dataset=dataset.name,
                fixed=held,
                asked=now,
            )

    def _directories(self, wanted: Sequence[DatasetName]) -> set[DatasetName]:
        needs = (self.datasets[name].residency for name in wanted)
        return {need.of for need in needs if isinstance(need, ByDirectory)}

    def _directory_of(self, name: DatasetName, frame: Frame) -> str | None:
        need = self.datasets[name].residency
        return frame.directories[need.of] if isinstance(need, ByDirectory) else None

    def _gather(self, dataset: Dataset, spool: Spool) -> _Gathered:
        gathered = _Gathered(Inventory(sources=self.sources, dataset=dataset), spool)
        gathered.gather()
        return gathered

    def _frame(
        self,
        wanted: Sequence[DatasetName],
        regions: Sequence[RegionName],
        config_digest: str,
        gathered: Mapping[DatasetName, _Gathered],
    ) -> Frame:
        reconciled = {
            name: self.workshop.reconcile(self.datasets[name], held.slices)
            for name, held in sorted(gathered.items())
            if held.inventory.listed.contested
        }
        return Frame(
            config_digest=config_digest,
            datasets=tuple(sorted(wanted)),
            regions=tuple(sorted(regions)),
            directories={
                name: self.workshop.directory(
                    self.datasets[name], gathered[name].slices, reconciled.get(name)
                )
                for name in sorted(self._directories(wanted))
            },
            reconciled=reconciled,
        )

    def _stripes(
        self, wanted: Sequence[DatasetName], gathered: Mapping[DatasetName, _Gathered]
    ) -> Iterator[Stripe]:
        first = 0
        for name in sorted(wanted):
            for stripe in stripes(gathered[name].slices(), self.limits, first):
                first = stripe.number + 1
                yield stripe


def fixed_text(dataset: Dataset, limits: Limits) -> str:
    """Write down what may not change once there are receipts."""
    identity = ",".join(f"{column.name}:{column.type}" for column in dataset.identity)
    return (
        f"format={dataset.format} identity={identity} batch_bytes={limits.batch_bytes}"
        f" slice_bytes={limits.slice_bytes}"
    )
