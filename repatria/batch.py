"""Batches: what is decoded at once from a slice; the unit of movement, of retry and of proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from repatria.errors import BadObject
from repatria.names import Ordinal
from repatria.slice import Slice

LINE = "__line"
"""The column of a carried batch that holds each record's bytes, its terminator included."""

_PLAIN: Final[Mapping[str, pa.DataType]] = {
    str(pa.string_view()): pa.large_string(),
    str(pa.binary_view()): pa.large_binary(),
}
"""By name: a type that somebody else defined need not be hashable."""

Positions = npt.NDArray[np.uint64]
"""Where records stand: row numbers of the object (Parquet), or byte offsets of the decoded text."""


class Reason(StrEnum):
    """Why a record waits in quarantine."""

    MALFORMED = "malformed"  #: Not a record of the format at all.
    ENCODING = "encoding"  #: Not UTF-8 where text must be.
    TOO_LARGE = "too-large"  #: Over the limit of a record's bytes.
    TOO_DEEP = "too-deep"  #: Nested deeper than the limit.
    WRONG_COLUMNS = "wrong-columns"  #: More or fewer fields than the header.
    WRONG_TYPE = "wrong-type"  #: A deciding column does not have its declared type.
    NO_USER = "no-user"  #: The user column is null or empty.
    UNKNOWN_COUNTRY = "unknown-country"  #: Absent, or not a country.
    UNKNOWN_USER = "unknown-user"  #: Not in the directory.
    TWO_REGIONS = "two-regions"  #: The directory has this user in two regions.
    CONFLICT = "conflict"  #: Primary and backup differ at the same version.
    ORPHAN = "orphan"  #: Stands in the backup alone.


UNDECODED: Final = frozenset(
    {
        Reason.MALFORMED,
        Reason.ENCODING,
        Reason.TOO_LARGE,
        Reason.TOO_DEEP,
        Reason.WRONG_COLUMNS,
        Reason.WRONG_TYPE,
    }
)
"""The reasons for which a record never became a row."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Records that a rule refused: where each stands, and why. Equal lengths, in order."""

    positions: Positions
    reasons: tuple[Reason, ...]

    def __len__(self) -> int:
        return len(self.reasons)

    @classmethod
    def none(cls) -> Refusals:
        """No refusal at all."""
        return cls(np.empty(0, dtype=np.uint64), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Decoded records of a slice, and those that could not be decoded.

    ``rows`` has one row per record. A carried batch has the column ``__line`` (large_binary)
    and the dataset's deciding columns, in their declared types; a typed one has the columns of
    its object, as they are. ``positions[i]`` is where row ``i`` stands. ``preamble`` is what
    precedes the records of each parcel (a CSV header with its terminator). ``last`` says that
    the slice ends with this batch; an empty slice has one empty batch.
    """

    piece: Slice
    ordinal: Ordinal
    last: bool
    rows: pa.Table = field(repr=False)
    positions: Positions = field(repr=False)
    refused: Refusals = field(default_factory=Refusals.none, repr=False)
    preamble: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        assert self.rows.num_rows == len(self.positions), "each row stands somewhere"

    @property
    def read(self) -> int:
        """How many records were read, refused ones included."""
        return self.rows.num_rows + len(self.refused)


def taken_from(rows: pa.Table, places: npt.NDArray[np.int64]) -> pa.Table:
    """Return the rows at ``places``, in that order, with the schema that they have.

    Columns of views cannot be taken from by Arrow, and go through their large form. Raises
    ``BadObject`` for a type of which rows cannot be told apart at all.
    """
    plain = rows
    for number, column in enumerate(rows.schema):
        large = _PLAIN.get(str(column.type))
        if large is not None:
            plain = plain.set_column(number, column.with_type(large), rows[number].cast(large))
    try:
        taken = _taken(plain, places)
    except pa.ArrowNotImplementedError as error:
        raise BadObject("rows of a column's type cannot be taken apart") from error
    return taken if plain is rows else taken.cast(rows.schema)


def _taken(rows: pa.Table, places: npt.NDArray[np.int64]) -> pa.Table:
    """Take chunk by chunk, in order, and put that into the order asked for.

    Arrow's own way first joins the chunks of all rows, which costs the memory of a second batch.
    """
    if len(rows) == 0 or rows.num_columns == 0:
        return rows.take(places)
    ascending = np.sort(places)
    parts, first = [], 0
    for batch in rows.to_batches():
        start, stop = np.searchsorted(ascending, (first, first + len(batch)))
        parts.append(batch.take(ascending[start:stop] - first))
        first += len(batch)
    taken = pa.Table.from_batches(parts, rows.schema)
    if np.array_equal(ascending, places):
        return taken
    return taken.take(np.searchsorted(ascending, places))
