"""In what steps a run of row groups may be decoded, so that none outgrows its budget.

Few stored bytes can be many decoded ones in four ways, and each is met before the decoder runs:

* a page that unpacks to gigabytes: its header says so;
* a column of lists with more nulls than bytes: page headers count them;
* a dictionary of long values and many references: its longest value bounds a row. Where the
  dictionary's size alone says too little, it is read, and only then are its values looked at.
  Where lists come to more than a step, the heaviest row is found before any is expanded;
* values that repeat the one before (``DELTA_BYTE_ARRAY``): none is longer than its page.

What a row may come to then decides how many rows are decoded at once; the batch is measured after
each step as before. A run too large to be held at once is judged by the first page of each chunk
and by its footer. Costs a parse per page, and a dictionary's decoding where one is suspicious.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.formats.packing import view
from connectors.formats.parquet_cut import VALUE_BYTES, Run
from connectors.formats.parquet_lists import heaviest_row
from connectors.formats.parquet_open import Opened, refusing
from connectors.formats.parquet_pages import PADDING, Load, first_page, pages
from repatria.errors import BadObject
from repatria.limits import Limits

STEP_ROWS: Final = 65_536
_SHARE: Final = 4
"""A step may take this part of what a whole batch may come to."""
_FIRST_BYTES: Final = 64 * 1024
_PLAIN: Final = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
_TEXTS: Final = {pa.string(), pa.binary(), pa.large_string(), pa.large_binary(), *_PLAIN}
_DIFFERENCES: Final = {"DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"}
_TEXT, _FIXED = "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"


@dataclass(frozen=True, slots=True)
class Steps:
    """``rows`` at once; ``cell_bytes`` where a page is large enough for a value beyond it."""

    rows: int
    opened: Opened
    cell_bytes: int | None = None

    def check(self, batch: pa.RecordBatch) -> None:
        """Raise ``BadObject`` for too much, or for a value that is too long where one can be."""
        self.opened.decoded.more(batch.nbytes)
        if self.cell_bytes is None:
            return
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            for leaf in leaves_of(column):
                if leaf.type in _TEXTS:
                    check_cell(longest(leaf), name, self.opened.label, self.cell_bytes)


@dataclass(slots=True)
class _Column:
    """One leaf column in the row groups of a run."""

    path: str
    fixed: int  #: Bytes of each value, where all have one length that is not a number's.
    text: bool
    repeated: bool
    indexed: bool  #: Whether its values can be read as indices into its dictionary.
    added: bool = False  #: Whether its lists were added up row by row.
    values: int = 0
    unpacked: int = 0
    widest: int = 0
    dictionary: int = 0
    prefixed: int = 0

    def add(self, load: Load) -> None:
        self.values += load.values
        self.unpacked += load.unpacked
        self.widest = max(self.widest, load.widest)
        self.dictionary = max(self.dictionary, load.dictionary)
        self.prefixed = max(self.prefixed, load.prefixed)

    @property
    def certain(self) -> int:
        """Return the length of a value that is there for certain."""
        return self.fixed or (self.dictionary if self.text else 0)

    @property
    def longest(self) -> int:
        """Return what no value that takes less in its page is longer than."""
        return self.fixed or (max(self.dictionary, self.prefixed) if self.text else 0)


def steps(opened: Opened, run: Run) -> Steps:
    """Say in what steps a run may be decoded.

    Raises ``BadObject`` for a page, a value or a list that goes beyond the limits.
    """
    limits, rows = opened.limits, sum(run.rows)
    if rows == 0:
        return Steps(STEP_ROWS, opened)
    budget = limits.batch_bytes_hard // _SHARE
    with refusing(opened.label, opened.source):
        columns = _columns(opened, run, limits)
        _check_sum(columns, run, opened.label, limits)
        for column in columns:
            _check_values(column, opened.label, budget)
        most = min(limits.cell_bytes, budget // min(rows, STEP_ROWS))
        _read_dictionaries(opened, run, columns, most)
    for column in columns:
        check_cell(column.certain, column.path, opened.label, limits.cell_bytes)
    with refusing(opened.label, opened.source):
        heaviest = _check_lists(opened, run, columns, budget)
    each = heaviest + sum(_row_bytes(column, rows) for column in columns if not column.added)
    wide = any(column.text and column.widest > limits.cell_bytes for column in columns)
    step = max(1, min(STEP_ROWS, budget // max(1, each)))
    return Steps(step, opened, limits.cell_bytes if wide else None)


def _row_bytes(column: _Column, rows: int) -> int:
    return column.longest * (-(-column.values // rows) if column.repeated else 1)


def _check_lists(opened: Opened, run: Run, columns: list[_Column], budget: int) -> int:
    """Return what a row's lists come to where the mean says too little; refuse one beyond a step.

    Lists that come to less than a step all together are not looked at. Nor are those with pages of
    differences, and decimals: no decoder reads them without expanding them.
    """
    left = budget
    lists = [column for column in columns if column.repeated and column.text]
    for column in sorted(lists, key=lambda one: one.longest * one.values):
        left -= column.longest * column.values
        column.added = left < 0 and column.dictionary > 0 and column.indexed
    paths = [column.path for column in lists if column.added]
    found = heaviest_row(opened, run, paths) if paths else 0
    if found > budget:
        raise BadObject(
            "the lists of one row decode to more than a quarter of limits.batch_bytes_hard",
            object=opened.label,
            bytes=found,
        )
    return found


def _columns(opened: Opened, run: Run, limits: Limits) -> list[_Column]:
    schema = opened.file.schema
    columns = [_column(schema.column(at)) for at in range(len(schema))]
    for number in range(run.first, run.stop):
        group = opened.file.metadata.row_group(number)
        for at, column in enumerate(columns):
            load = _load(opened, group.column(at))
            column.indexed = column.indexed and _DIFFERENCES.isdisjoint(group.column(at).encodings)
            if load.widest > limits.batch_bytes_hard // 2:
                raise BadObject(
                    "a page unpacks to more than half of limits.batch_bytes_hard",
                    object=opened.label,
                    column=column.path,
                    bytes=load.widest,
                )
            column.add(load)
    return columns


def _column(told: pq.ColumnSchema) -> _Column:
    kind = told.physical_type
    return _Column(
        path=told.path,
        fixed=(told.length or 0) if kind == _FIXED else 0,
        text=kind == _TEXT,
        repeated=told.max_repetition_level > 0,
        indexed=kind == _TEXT and told.logical_type.type != "DECIMAL",
    )


def _load(opened: Opened, chunk: pq.ColumnChunkMetaData) -> Load:
    """Add up the pages of a chunk that is held; of another, look at the first one alone."""
    start = min(chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset)
    stop = start + chunk.total_compressed_size
    size = opened.source.size()
    if not 0 <= start <= stop <= size:
        raise ValueError("a column chunk lies outside of its object")
    held = opened.source.held(start, min(stop + PADDING, size)) or opened.source.held(start, stop)
    if held is not None:
        return Load.of(pages(view(held), stop - start, chunk.num_values))
    some = opened.source.between(start, min(stop, start + _FIRST_BYTES))
    begin = Load.of(first_page(view(some)))
    delta = "DELTA_BYTE_ARRAY" in chunk.encodings
    return Load(
        values=chunk.num_values,
        unpacked=chunk.total_uncompressed_size,
        widest=begin.widest,
        dictionary=begin.dictionary,
        prefixed=min(chunk.total_uncompressed_size, begin.widest) if delta else 0,
    )


def _check_sum(columns: list[_Column], run: Run, label: str, limits: Limits) -> None:
    """Refuse what unpacks to more than a batch may hold, whatever the footer says of it."""
    rows = sum(run.rows)
    weight = sum(column.unpacked + column.fixed * max(rows, column.values) for column in columns)
    if weight * max(run.rows) > limits.batch_bytes_hard * rows:
        raise BadObject(
            "a batch would decode to more than limits.batch_bytes_hard",
            object=label,
            most=limits.batch_bytes_hard,
        )


def _check_values(column: _Column, label: str, budget: int) -> None:
    """Refuse lists of more values than can be held: nulls take no byte in a page.

    In rows that are no lists, the footer's count of rows has been weighed already.
    """
    if column.repeated and column.values * VALUE_BYTES > budget + column.unpacked * VALUE_BYTES:
        raise BadObject(
            "lists hold far more values than bytes", object=label, column=column.path,
            values=column.values,
        )  # fmt: skip


def check_cell(found: int, column: str, label: str, most: int) -> None:
    """Raise ``BadObject`` if a value is longer than ``limits.cell_bytes``."""
    if found > most:
        raise BadObject(
            "a value is longer than limits.cell_bytes", object=label, column=column, most=most
        )


def _read_dictionaries(opened: Opened, run: Run, columns: list[_Column], most: int) -> None:
    """Replace the size of each dictionary larger than ``most`` by that of its longest value."""
    found = {column.path: 0 for column in columns if column.text and column.dictionary > most}
    if not found:
        return
    file = opened.of_dictionaries(list(found))
    for number in range(run.first, run.stop):
        for path, here in zip(found, _longest(file, number, list(found)), strict=True):
            found[path] = max(found[path], here)
    for column in columns:
        column.dictionary = found.get(column.path, column.dictionary)


def _longest(file: pq.ParquetFile, group: int, paths: list[str]) -> list[int]:
    """Return the bytes of the longest value of each column's dictionary; decodes one row."""
    rows = file.iter_batches(batch_size=1, row_groups=[group], columns=paths, use_threads=False)
    leaves = [leaf for row in islice(rows, 1) for array in row.columns for leaf in leaves_of(array)]
    found = [longest(leaf.dictionary) for leaf in leaves if isinstance(leaf, pa.DictionaryArray)]
    if len(found) == len(paths):
        return found
    return [max(found, default=0)] * len(paths)


def longest(values: Any) -> int:  # noqa: ANN401 - an array of any type
    """Return the bytes of the longest value of an array of texts or octets."""
    plain = _PLAIN.get(values.type)
    lengths = pc.binary_length(values if plain is None else values.cast(plain))
    return int(pc.max(lengths).as_py() or 0)


def leaves_of(array: Any) -> list[Any]:  # noqa: ANN401 - an array of any type
    """Return the arrays that hold values, beneath structs, lists, maps and extensions."""
    if isinstance(array, pa.ExtensionArray):
        return leaves_of(array.storage)
    if isinstance(array, pa.StructArray):
        return [leaf for child in array.flatten() for leaf in leaves_of(child)]
    if isinstance(array, pa.MapArray):
        return leaves_of(array.keys) + leaves_of(array.items)
    if array.type.num_fields:
        return leaves_of(array.flatten())
    return [array]
