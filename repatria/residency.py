"""Residency: which region each record belongs to, decided on the rows themselves (law 2).

The answer is one code per row: a region's index in the atlas (≥ 0), ``ELSEWHERE`` for records
that stay for good, or the code of a reason to quarantine. Unknown is never a region.
Costs about 30 ns a row for a country column; a directory adds its look-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from repatria.atlas import ELSEWHERE, Atlas, Codes
from repatria.batch import Reason, Refusals
from repatria.dataset import ByCountry, Column, ColumnType, Dataset, UnknownCountry
from repatria.errors import BadObject
from repatria.names import RegionName
from repatria.ports.rules import Regions

_REASONS: Final = (
    Reason.UNKNOWN_COUNTRY,
    Reason.UNKNOWN_USER,
    Reason.TWO_REGIONS,
    Reason.NO_USER,
)
_UNPLACED: Final = np.array(
    [2 * (2 + place) for place in reversed(range(len(_REASONS)))] + [0], dtype=np.uint32
)
"""The marks of rows without a region: of each reason, the last one first, and of elsewhere."""
_ARROW: Final = {
    ColumnType.STRING: pa.large_string(),
    ColumnType.INT64: pa.int64(),
    ColumnType.TIMESTAMP: pa.timestamp("us", "UTC"),
}


def code_of(reason: Reason) -> int:
    """Return the residency code that stands for ``reason``."""
    return -2 - _REASONS.index(reason)


def reason_of(code: int) -> Reason:
    """Return the reason that a residency code below ``ELSEWHERE`` stands for."""
    return _REASONS[-2 - code]


def declared(rows: pa.Table, column: Column) -> pa.ChunkedArray[Any]:
    """Return a deciding column in its declared type.

    Raises ``BadObject`` if the column is missing or cannot be read as that type.
    """
    if column.name not in rows.column_names:
        raise BadObject("a column that decides is missing", column=column.name)
    values = rows.column(column.name)
    try:
        return values.cast(_ARROW[column.type])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadObject(
            "a column that decides does not have its declared type",
            column=column.name,
            declared=column.type.value,
            found=kind_of(values.type),
        ) from error


def kind_of(type_: pa.DataType) -> str:
    """Name the kind of a type without its fields, whose names may be anybody's."""
    return str(type_) if type_.num_fields == 0 else type(type_).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves the records of one dataset. ``directory`` is given where the dataset needs one."""

    dataset: Dataset
    atlas: Atlas
    directory: Regions | None = None

    @property
    def mark(self) -> str:
        """Name all that decides: atlas, directory, and how this dataset resolves; 16 digits."""
        known = self.directory.digest if self.directory is not None else ""
        how = (self.dataset.residency, self.dataset.user, self.dataset.unknown)
        return hashlib.sha256(f"{self.atlas.digest} {known} {how!r}".encode()).hexdigest()[:16]

    def resolve(self, rows: pa.Table) -> Codes:
        """Return one code per row."""
        users = declared(rows, self.dataset.user)
        codes = self._placed(rows, users)
        nobody = _absent(users)
        if nobody.any():
            codes = codes.copy()
            codes[nobody & (codes != ELSEWHERE)] = code_of(Reason.NO_USER)
        return codes

    def _placed(self, rows: pa.Table, users: pa.ChunkedArray[Any]) -> Codes:
        how = self.dataset.residency
        if isinstance(how, ByCountry):
            if how.column not in rows.column_names:
                raise BadObject("the country column is missing", column=how.column)
            codes = self.atlas.codes(rows.column(how.column))
            unknown = {-2: Reason.UNKNOWN_COUNTRY}
        else:
            assert self.directory is not None, "a dataset that needs a directory is given one"
            codes = self.directory.lookup(users.combine_chunks())
            unknown = {-2: Reason.UNKNOWN_USER, -3: Reason.TWO_REGIONS}
        return self._reasons(np.asarray(codes, dtype=np.int32), unknown)

    def _reasons(self, codes: Codes, unknown: dict[int, Reason]) -> Codes:
        if not (codes < ELSEWHERE).any():
            return codes
        named = codes.copy()
        for code, reason in unknown.items():
            stays = self.dataset.unknown is UnknownCountry.STAY and reason is not Reason.TWO_REGIONS
            named[codes == code] = ELSEWHERE if stays else code_of(reason)
        return named


def _absent(users: pa.ChunkedArray[Any]) -> npt.NDArray[np.bool_]:
    """Say where a user is null, or the empty text."""
    absent = _mask(pc.is_null(users))
    if pa.types.is_large_string(users.type):
        lengths = pc.fill_null(pc.binary_length(users), pa.scalar(0, pa.int64()))
        absent = absent | _mask(pc.equal(lengths, pa.scalar(0, pa.int64())))
    return absent


def _mask(flags: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401  # Chunked or not, as it comes.
    return np.asarray(flags, dtype=np.bool_)


def decisions(
    codes: Codes, refused: Refusals, atlas: Atlas, view: Collection[RegionName] | None = None
) -> str:
    """Digest the row-by-row decisions: SHA-256 over four bytes per row, and the refusals.

    Regions count by name, not by place in the atlas. Those outside ``view`` (default: none is)
    count as elsewhere, so that a batch can be compared with what it was decided to be before
    a region was known: the same version read again must give the same digest.
    """
    marks = np.zeros(len(atlas.regions), dtype=np.uint32)
    for index, region in enumerate(atlas.regions):
        if view is None or region.name in view:
            marks[index] = (
                int.from_bytes(hashlib.sha256(region.name.encode()).digest()[:4], "big") | 1
            )
    known = np.concatenate([_UNPLACED, marks]).astype("<u4")
    digest = hashlib.sha256(known.take(codes + len(_UNPLACED)).data)
    digest.update(refused.positions.astype("<u8").tobytes())
    digest.update(",".join(reason.value for reason in refused.reasons).encode())
    return digest.hexdigest()
