"""Versions of records: a column of numbers or times, as whole numbers that can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from repatria.dataset import Column, ColumnType
from repatria.errors import ConfigRefused
from repatria.residency import declared


@dataclass(frozen=True, slots=True)
class Versions:
    """One version per row; ``numbers`` count only where ``valid`` is true."""

    numbers: npt.NDArray[np.int64] = field(repr=False)
    valid: npt.NDArray[np.bool_] = field(repr=False)


def versions(rows: pa.Table, column: Column | None) -> Versions | None:
    """Return the rows' versions, or None for a dataset without a version column.

    Raises ``ConfigRefused`` for a version that is text, which has no order that anybody means, and
    ``BadObject`` where the column is missing or of another type.
    """
    if column is None:
        return None
    if column.type is ColumnType.STRING:
        raise ConfigRefused("a version is a number or a time, never text", column=column.name)
    values = declared(rows, column).cast(pa.int64())
    return Versions(
        values.fill_null(pa.scalar(0, pa.int64())).to_numpy(),
        values.is_valid().to_numpy(),
    )
