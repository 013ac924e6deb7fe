"""A source whose slices hold given tables, for engines that read whole datasets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from repatria.batch import Batch
from repatria.dataset import Dataset
from repatria.names import DatasetName, Ordinal, SiteName, SliceId
from repatria.slice import Slice
from repatria.stored import ObjectVersion

Held = list[list[pa.Table | Exception]]
"""Per slice, its batches; an exception in a table's place is raised there."""


def piece(number: int, site: str = "us-east") -> Slice:
    return Slice(
        id=SliceId(f"{(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + len(site)) % 2**128:032x}"),
        dataset=DatasetName("profiles"),
        site=SiteName(site),
        object=ObjectVersion(f"profiles/{number}", 1, f"e{number}"),
        relative=str(number),
        label=f"object {number}",
    )


class TableSource:
    """A source of one site."""

    def __init__(self, tables: Held, site: str = "us-east") -> None:
        self.site = SiteName(site)
        self._tables = {piece(number, site).id: held for number, held in enumerate(tables)}

    def batches(self, dataset: Dataset, piece: Slice, after: Ordinal | None) -> Iterator[Batch]:
        held = self._tables[piece.id]
        for ordinal, rows in enumerate(held):
            if isinstance(rows, Exception):
                raise rows
            yield Batch(
                piece=piece,
                ordinal=ordinal,
                last=ordinal == len(held) - 1,
                rows=rows,
                positions=np.arange(rows.num_rows, dtype=np.uint64),
            )
