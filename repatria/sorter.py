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
from repatria.receipt import ELSEWHERE, BatchName, Receipt
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
        """Say whether a batch would be sorted now as it was, as far as that shows unread.

        Another verdict on primary and backup changes fates, and so may an atlas that has grown:
        what was elsewhere then may belong to a region now.
        """
        before = receipt.decisions.partition(":")[0]
        batch = receipt.batch
        try:
            standing = self.contest.verdicts(batch.slice, batch.ordinal, receipt.rows)
        except Spoilt:
            return False  # It will be told by name when it is read.
        if before == self._under(standing):
            return True
        atlas, contest = before.partition(".")[::2]
        grown = atlas != self.resolver.atlas.digest[:16] and ELSEWHERE in receipt.census
        return contest == mark(standing) and not grown

    def _under(self, standing: npt.NDArray[np.uint8]) -> str:
        return f"{self.resolver.atlas.digest[:16]}.{mark(standing)}"


def name_of(batch: Batch) -> BatchName:
    """Return the name under which receipts know ``batch``."""
    return BatchName(batch.piece.id, batch.ordinal, batch.piece.version)
