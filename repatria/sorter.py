"""Sorts a batch: asks who is erased and who is contested, and gives each row its one fate.

Moving, verifying and rehearsing all sort in this one place, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from repatria.batch import Batch
from repatria.fate import Evidence, Released, Sorted, decide
from repatria.ports.rules import Contest, Tombstones
from repatria.receipt import BatchName
from repatria.residency import Resolver, decisions, declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorter:
    """Sorts the batches of one dataset. ``released`` names what people let through, by batch."""

    resolver: Resolver
    tombstones: Tombstones
    contest: Contest
    always: Released = field(default_factory=Released)
    released: Mapping[BatchName, Released] = field(default_factory=dict)

    def sort(self, batch: Batch) -> Sorted:
        """Give each row of ``batch`` its fate."""
        codes = self.resolver.resolve(batch.rows)
        name = name_of(batch)
        mine = self.released.get(name, Released())
        evidence = Evidence(
            erased=self.tombstones.erased(
                declared(batch.rows, self.resolver.dataset.user).combine_chunks()
            ),
            standing=self.contest.verdicts(batch.piece.id, batch.ordinal, batch.rows.num_rows),
            released=Released(self.always.reasons | mine.reasons, mine.entries),
        )
        atlas = self.resolver.atlas
        return Sorted(
            batch=batch,
            atlas=atlas,
            codes=codes,
            fates=decide(codes, evidence, atlas),
            decisions=f"{atlas.digest[:16]}:{decisions(codes, batch.refused, atlas)}",
        )


def name_of(batch: Batch) -> BatchName:
    """Return the name under which receipts know ``batch``."""
    return BatchName(batch.piece.id, batch.ordinal, batch.piece.version)
