"""How a Parquet object is cut: pure arithmetic over its footer, and nothing else.

Where a batch begins and ends must be the same on every machine, with every version of every
library, for ever; so it follows from the numbers of the footer and the budgets alone. A row
group *weighs* its uncompressed size, and at least eight bytes for each value of a flat row:
dictionaries and run lengths make columns look smaller than they are once decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repatria.slice import Cut, RowGroups, Whole

VALUE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Group:
    """What the footer says of one row group. ``start`` to ``stop`` are its bytes."""

    rows: int
    weight: int
    packed: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Run:
    """Row groups ``first`` up to ``stop`` that are decoded in one go, and their batches.

    ``ordinal`` is that of the first batch, ``row`` the number of the first row in the object,
    ``rows`` how many rows each batch has.
    """

    first: int
    stop: int
    ordinal: int
    row: int
    rows: tuple[int, ...]


def weigh(total_byte_size: int, rows: int, columns: int) -> int:
    """Return what a row group counts against the budget of a batch, in bytes."""
    return max(total_byte_size, VALUE_BYTES * rows * max(1, columns))


def cut_groups(groups: Sequence[Group], slice_bytes: int) -> tuple[Cut, ...]:
    """Cut an object into runs of row groups of about ``slice_bytes`` packed bytes each."""
    cuts: list[Cut] = []
    first, packed = 0, 0
    for index, group in enumerate(groups):
        if index > first and packed + group.packed > slice_bytes:
            cuts.append(RowGroups(first, index))
            first, packed = index, 0
        packed += group.packed
    if not cuts:
        return (Whole(),)
    return (*cuts, RowGroups(first, len(groups)))


def runs(groups: Sequence[Group], first: int, stop: int, batch_bytes: int) -> Iterator[Run]:
    """Yield the runs of row groups ``first`` to ``stop``; no rows at all give one empty batch."""
    ordinal, row = 0, sum(group.rows for group in groups[:first])
    for start, end in _spans(groups, first, stop, batch_bytes):
        rows = sum(group.rows for group in groups[start:end])
        weight = sum(group.weight for group in groups[start:end])
        sizes = _pieces(rows, weight, batch_bytes)
        if sizes:
            yield Run(start, end, ordinal, row, sizes)
        ordinal += len(sizes)
        row += rows
    if ordinal == 0:
        yield Run(first, first, 0, row, (0,))


def _spans(
    groups: Sequence[Group], first: int, stop: int, batch_bytes: int
) -> Iterator[tuple[int, int]]:
    start, weight = first, 0
    for index in range(first, stop):
        if index > start and weight + groups[index].weight > batch_bytes:
            yield start, index
            start, weight = index, 0
        weight += groups[index].weight
    if start < stop:
        yield start, stop


def _pieces(rows: int, weight: int, batch_bytes: int) -> tuple[int, ...]:
    if rows == 0:
        return ()
    if weight <= batch_bytes:
        return (rows,)
    each = max(1, rows * batch_bytes // weight)
    whole, rest = divmod(rows, each)
    return (each,) * whole + ((rest,) if rest else ())
