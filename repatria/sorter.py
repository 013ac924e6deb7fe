"""Sorts a batch: asks who is erased and who is contested, and gives each row its one fate.

Moving, verifying and rehearsing all sort in this one place, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from repatria.batch import Batch
from repatria.contest import mark
from repatria.errors import Spoilt
from repatria.fate import Evidence, Released, Sorted, decide
from repatria.ports.rules import Contest, Tombstones
from repatria.receipt import BatchName, Receipt
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
        standing = self.contest.verdicts(batch.piece.id, batch.ordinal, batch.rows.num_rows)
        evidence = Evidence(
            erased=self.tombstones.erased(
                declared(batch.rows, self.resolver.dataset.user).combine_chunks()
            ),
            standing=standing,
            positions=batch.positions,
            released=Released(self.always.reasons | mine.reasons, mine.entries),
        )
        atlas = self.resolver.atlas
        return Sorted(
            batch=batch,
            atlas=atlas,
            codes=codes,
            fates=decide(codes, evidence, atlas),
            decisions=f"{self._under(standing)}:{decisions(codes, batch.refused, atlas)}",
        )

    def stands(self, receipt: Receipt) -> bool:
        """Say whether a batch would be sorted now as it was: whether all that decides is the same.

        Where the atlas, the directory, the dataset's own settings or the verdicts on primary and
        backup are others, only reading it again can tell (docs/adr/0002).
        """
        batch = receipt.batch
        try:
            standing = self.contest.verdicts(batch.slice, batch.ordinal, receipt.rows)
        except Spoilt:
            return False  # It will be told by name when it is read.
        return receipt.decisions.partition(":")[0] == self._under(standing)

    def _under(self, standing: npt.NDArray[np.uint8]) -> str:
        return f"{self.resolver.mark}.{mark(standing)}"


def name_of(batch: Batch) -> BatchName:
    """Return the name under which receipts know ``batch``."""
    return BatchName(batch.piece.id, batch.ordinal, batch.piece.version)
