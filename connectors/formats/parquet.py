"""Parquet: typed records, read by row groups and written in the house's one way.

An object is opened by its footer alone, and each run of row groups is fetched with one ranged
read. Decoding happens in the caller's thread, in steps of a bounded number of rows, so that an
object that decodes to far more than it says is noticed while it is still small. A batch that
holds more or fewer rows than its footer counted is refused: the first check of conservation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.formats.codec import Access
from connectors.formats.parquet_cut import Run, cut_groups, runs
from connectors.formats.parquet_int96 import settle
from connectors.formats.parquet_open import (
    DECODER_ERRORS,
    Opened,
    check_schema,
    open_footer,
    reason,
    refusing,
)
from connectors.formats.parquet_steps import Steps, steps
from connectors.formats.parquet_write import write
from repatria.batch import Batch
from repatria.dataset import Dataset, KeyClass
from repatria.errors import BadObject, ReadBackMismatch
from repatria.limits import Limits
from repatria.names import Ordinal
from repatria.slice import Cut, RowGroups, Slice, Whole


class Parquet:
    """The codec of Parquet."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def cut(self, dataset: Dataset, access: Access, name: str) -> tuple[Cut, ...]:
        if access.size <= self._limits.slice_bytes:
            return (Whole(),)
        label = name if dataset.keys is KeyClass.PLAIN else "of a dataset with personal keys"
        opened = open_footer(access, label, self._limits)
        return cut_groups(opened.groups, self._limits.slice_bytes)

    def batches(
        self, dataset: Dataset, piece: Slice, access: Access, after: Ordinal | None
    ) -> Iterator[Batch]:
        opened = open_footer(access, piece.label, self._limits)
        check_schema(opened, dataset, self._limits)
        first, stop = _extent(piece.cut, opened)
        done = -1 if after is None else after
        every = list(runs(opened.groups, first, stop, self._limits.batch_bytes))
        last = every[-1].ordinal + len(every[-1].rows) - 1
        for run in every:
            if run.ordinal + len(run.rows) - 1 > done:
                yield from self._run(piece, opened, run, done, last)

    def encode(self, dataset: Dataset, rows: pa.Table, preamble: bytes, name: str) -> pa.Buffer:
        assert not preamble, "nothing precedes the records of a Parquet object"
        return write(rows)

    def decode(self, dataset: Dataset, body: pa.Buffer, name: str) -> pa.Table:
        try:
            file = pq.ParquetFile(
                pa.BufferReader(body), page_checksum_verification=True, pre_buffer=False
            )
            return file.read(use_threads=False)
        except DECODER_ERRORS as error:
            raise ReadBackMismatch(f"a parcel cannot be read back: {reason(error)}") from error

    def _run(
        self, piece: Slice, opened: Opened, run: Run, done: Ordinal, last: Ordinal
    ) -> Iterator[Batch]:
        row = run.row
        tables = self._tables(opened, run)
        for ordinal, rows in enumerate(run.rows, run.ordinal):
            table = next(tables)
            if ordinal > done:
                yield Batch(
                    piece=piece,
                    ordinal=ordinal,
                    last=ordinal == last,
                    rows=table,
                    positions=np.arange(row, row + rows, dtype=np.uint64),
                )
            row += rows
            del table

    def _tables(self, opened: Opened, run: Run) -> Iterator[pa.Table]:
        """Yield the tables of a run's batches, 96-bit timestamps settled."""
        self._check_weight(opened, run)
        self._prefetch(opened, run)
        step = steps(opened, run)
        fine = _Rows(opened, opened.file, run, step)
        coarse = _Rows(opened, opened.again(), run, step) if opened.int96 else None
        for left, rows in zip(range(len(run.rows), 0, -1), run.rows, strict=True):
            table = fine.take(rows, opened.empty)
            if coarse is not None:
                table = settle(table, coarse.take(rows, None), opened.label)
            if left == 1:
                fine.finish()
            yield table

    def _check_weight(self, opened: Opened, run: Run) -> None:
        """Refuse what by its own footer cannot be decoded within the hard limit."""
        groups = opened.groups[run.first : run.stop]
        weight, rows = sum(group.weight for group in groups), sum(run.rows)
        if weight * max(run.rows) > self._limits.batch_bytes_hard * max(1, rows):
            raise BadObject(
                "a batch would decode to more than limits.batch_bytes_hard",
                object=opened.label,
                most=self._limits.batch_bytes_hard,
            )

    def _prefetch(self, opened: Opened, run: Run) -> None:
        """Fetch the run's bytes with one read, if the footer places them within reason."""
        groups = opened.groups[run.first : run.stop]
        start = min((group.start for group in groups), default=0)
        stop = max((group.stop for group in groups), default=0)
        if 0 <= start < stop <= opened.source.size() and stop - start <= self._limits.batch_bytes:
            opened.source.hold(start, stop)


class _Rows:
    """The rows of a run, handed out in the numbers that are asked for."""

    def __init__(self, opened: Opened, file: pq.ParquetFile, run: Run, steps: Steps) -> None:
        self._opened = opened
        self._hard = opened.limits.batch_bytes_hard
        self._checked = steps
        columns = None if file is opened.file else list(opened.int96)
        step = min(steps.rows, max(run.rows)) or 1
        groups = list(range(run.first, run.stop))
        with refusing(opened.label, opened.source):
            self._steps = file.iter_batches(
                batch_size=step, row_groups=groups, columns=columns, use_threads=False
            )
        self._rest: pa.RecordBatch | None = None

    def take(self, rows: int, empty: pa.Table | None) -> pa.Table:
        """Return exactly the next ``rows`` rows; fewer are a broken promise of the footer."""
        held: list[pa.RecordBatch] = []
        missing, size = rows, 0
        while missing > 0:
            step = self._next()
            if step is None:
                raise BadObject("there are fewer rows than the footer says", object=self._label)
            part = step.slice(0, missing)
            self._rest = step.slice(missing) if step.num_rows > missing else None
            held.append(part)
            missing -= part.num_rows
            size += part.nbytes
            self._check(size, held)
        with refusing(self._label):
            if not held:
                return pa.table({}) if empty is None else empty
            table = pa.Table.from_batches(held, schema=None if empty is None else empty.schema)
            table.validate()
            return table

    def finish(self) -> None:
        """Raise ``BadObject`` if there is more than the footer says."""
        rest = self._next()
        if rest is not None and rest.num_rows:
            raise BadObject("there are more rows than the footer says", object=self._label)

    @property
    def _label(self) -> str:
        return self._opened.label

    def _next(self) -> pa.RecordBatch | None:
        if self._rest is not None:
            rest, self._rest = self._rest, None
            return rest
        with refusing(self._label, self._opened.source):
            step = next(self._steps, None)
        if step is not None:
            self._checked.check(step)
        return step

    def _check(self, size: int, held: list[pa.RecordBatch]) -> None:
        """Refuse a batch over the hard limit; dictionaries that its parts share count once."""
        if size <= self._hard:
            return
        with refusing(self._label):
            exact = pa.Table.from_batches(held).get_total_buffer_size()
        if exact > self._hard:
            raise BadObject(
                "a batch decodes to more than limits.batch_bytes_hard",
                object=self._label,
                most=self._hard,
            )


def _extent(cut: Cut, opened: Opened) -> tuple[int, int]:
    if isinstance(cut, RowGroups):
        if not 0 <= cut.first <= cut.stop <= len(opened.groups):
            raise BadObject("the cut names row groups that are not there", object=opened.label)
        return cut.first, cut.stop
    return 0, len(opened.groups)
