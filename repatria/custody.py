"""What waits: records of a batch that a rule refused are kept until a person decides.

They are kept in the enclave where their region is known and asked for, beside its parcels, read
back like a parcel; all others stay at the source, and their positions point to them (law 11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from repatria.batch import Batch, Reason, Refusals, taken_from
from repatria.border import Border
from repatria.dataset import Dataset
from repatria.delivery import keep
from repatria.fate import Released, Sorted
from repatria.ports.records import Parcel
from repatria.receipt import BatchName, Waiting
from repatria.site import Region
from repatria.sorter import name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """Keeps what waits, of one dataset. ``released`` is what people let through, by batch."""

    dataset: Dataset
    scope: Sequence[Region]
    border: Border
    released: Mapping[BatchName, Released]

    def waiting(self, sorted_: Sorted) -> tuple[Waiting, ...]:
        """Keep what waits of a batch, and say where; a repetition keeps the same again.

        What was released and waits no more is told with no rows and the positions that were
        released, so that the release is remembered when the batch is read another time.
        """
        found = refused(sorted_.batch.refused)
        for reason, region, rows in sorted_.waiting():
            waiting = Waiting(
                reason=reason,
                region=region,
                rows=len(rows),
                positions=tuple(int(place) for place in sorted_.batch.positions[rows]),
            )
            found.append(self._kept(sorted_.batch, waiting, taken_from(sorted_.batch.rows, rows)))
        let = self.released.get(name_of(sorted_.batch), Released()).entries
        gone = let.keys() - {(waiting.reason, waiting.region) for waiting in found}
        past = sorted(gone, key=lambda entry: (entry[0], entry[1] or ""))
        return (
            *found,
            *(
                Waiting(reason=why, region=where, rows=0, positions=tuple(sorted(let[why, where])))
                for why, where in past
            ),
        )

    def _kept(self, batch: Batch, waiting: Waiting, rows: pa.Table) -> Waiting:
        region = next((region for region in self.scope if region.name == waiting.region), None)
        if region is None:
            return waiting
        place = self.border.places[region.home]
        self.border.pass_through(self.dataset, region, rows, place)
        parcel = Parcel(
            dataset=self.dataset,
            region=region.name,
            site=region.home,
            piece=batch.piece,
            ordinal=batch.ordinal,
            rows=rows,
            preamble=batch.preamble,
        )
        name = f"{batch.piece.id}-{batch.ordinal:05}-{waiting.reason}"
        arrived = keep(parcel, place.target, name)
        place.target.read_back(self.dataset, arrived)
        return replace(waiting, site=region.home, kept=arrived.object)


def refused(refusals: Refusals) -> list[Waiting]:
    """Gather undecodable records by reason; their content never left the source."""
    reasons = sorted(set(refusals.reasons))
    places: dict[Reason, list[int]] = {reason: [] for reason in reasons}
    for position, reason in zip(refusals.positions, refusals.reasons, strict=True):
        places[reason].append(int(position))
    return [
        Waiting(reason=why, region=None, rows=len(places[why]), positions=tuple(places[why]))
        for why in reasons
    ]
