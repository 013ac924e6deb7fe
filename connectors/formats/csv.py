"""CSV (RFC 4180): records may span lines, so that an object is one slice read in sequence.

The header, with a byte order mark before it and its terminator, is the preamble of each parcel.
Quotes are followed from the first byte on, also when batches are skipped: where a record ends
depends on all that precedes it. What counts as well formed stands in ``fields``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from connectors.formats.budget import within
from connectors.formats.carried import Reading, body, rows_of
from connectors.formats.codec import Access
from connectors.formats.csv_judge import CsvJudge
from connectors.formats.csv_text import CsvText, delimiter_of, names_of, opened
from connectors.formats.packing import compression_of, packed, packing_of, unlimited, unpacked, view
from connectors.formats.windows import Span, windows
from repatria.batch import Batch
from repatria.dataset import Dataset
from repatria.errors import BadObject, ReadBackMismatch
from repatria.limits import Limits
from repatria.names import Ordinal
from repatria.slice import Cut, Slice, Whole

_NO_LIMIT = 1 << 62


class Csv:
    """The codec of CSV."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def cut(self, dataset: Dataset, access: Access, name: str) -> tuple[Cut, ...]:
        return (Whole(),)

    def batches(
        self, dataset: Dataset, piece: Slice, access: Access, after: Ordinal | None
    ) -> Iterator[Batch]:
        span = Span(0, self._limits.batch_bytes)
        with access.stream() as chunks:
            plain = unpacked(chunks, packing_of(dataset, piece, access.size, self._limits))
            text = opened(dataset, plain, piece.label, self._limits.record_bytes)
            reading = self._reading(dataset, piece, text)
            records = within(text.records, span, self._limits, piece.label)
            for window in windows(records, span, 0 if after is None else after + 1):
                yield reading.batch(window)

    def encode(self, dataset: Dataset, rows: pa.Table, preamble: bytes, name: str) -> pa.Buffer:
        headed = not dataset.csv.header or preamble.endswith(b"\n")
        assert headed or not rows.num_rows, "a header comes first, and ends"
        return packed(body(rows, preamble), compression_of(dataset, name))

    def decode(self, dataset: Dataset, body: pa.Buffer, name: str) -> pa.Table:
        try:
            plain = unpacked([view(body)], unlimited(compression_of(dataset, name)))
            return rows_of(opened(dataset, plain, "parcel", _NO_LIMIT).records)
        except BadObject as error:
            raise ReadBackMismatch("a parcel does not read back as CSV", why=str(error)) from error

    def _reading(self, dataset: Dataset, piece: Slice, text: CsvText) -> Reading:
        names = self._names(dataset, piece, text)
        absent = [column.name for column in dataset.deciding if column.name not in names]
        if absent:
            raise BadObject(
                "a CSV object lacks a column that decides", object=piece.label, column=absent[0]
            )
        judge = CsvJudge(dataset.deciding, names, delimiter_of(dataset))
        return Reading(piece, dataset.deciding, self._limits, judge, text.preamble)

    def _names(self, dataset: Dataset, piece: Slice, text: CsvText) -> tuple[str, ...]:
        """Return the columns; of an object without even a header, those that it would need."""
        if text.header is not None:
            names = names_of(text.header, delimiter_of(dataset), piece.label)
        elif dataset.csv.header:
            names = tuple(column.name for column in dataset.deciding)
        else:
            names = dataset.csv.columns
        if len(set(names)) < len(names):
            raise BadObject("two columns of a CSV object have one name", object=piece.label)
        if len(names) > self._limits.columns:
            raise BadObject(
                "a CSV object has more columns than limits.columns allows",
                object=piece.label,
                columns=len(names),
            )
        return names
