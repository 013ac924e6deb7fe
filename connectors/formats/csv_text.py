"""A CSV text taken open: what precedes its records, and the records still to come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from connectors.formats.carried import blank_records
from connectors.formats.csv_judge import blank_octets
from connectors.formats.fields import split
from connectors.formats.lines import Lines, Segment, even, past_bom, utf8
from connectors.formats.packing import Octets
from connectors.formats.quotes import QUOTE, QuotedEnds
from connectors.formats.segments import segments
from repatria.dataset import Dataset
from repatria.errors import BadObject, ConfigRefused

_FORBIDDEN = (QUOTE, 0x0A, 0x0D)


@dataclass(frozen=True, slots=True)
class CsvText:
    """``preamble`` is the byte order mark and the header; None for a header that is not there."""

    preamble: bytes = field(repr=False)
    header: bytes | None = field(repr=False)
    records: Iterator[Segment]


def delimiter_of(dataset: Dataset) -> int:
    """Return the delimiter as an octet. Raises ``ConfigRefused`` unless it is one, and usable."""
    octets = dataset.csv.delimiter.encode()
    if len(octets) != 1 or octets[0] >= 0x80 or octets[0] in _FORBIDDEN:
        raise ConfigRefused(
            "a CSV delimiter must be one ASCII character, and no quote or line end",
            dataset=dataset.name,
        )
    return octets[0]


def opened(dataset: Dataset, chunks: Iterable[Octets], label: str, record_bytes: int) -> CsvText:
    """Read as far as the header, if the dataset has one. Raises ``BadObject``."""
    delimiter = delimiter_of(dataset)
    mark, pieces = past_bom(even(chunks))
    ends = QuotedEnds(delimiter, len(mark), label)
    records = segments(pieces, len(mark), ends, record_bytes)
    if not dataset.csv.header:
        return CsvText(mark, None, records)
    blank = blank_octets(delimiter)
    for segment in records:
        lines = segment.lines
        if lines.edges[1] > record_bytes:
            raise BadObject("a CSV header is longer than limits.record_bytes", object=label)
        solid = np.flatnonzero(~blank_records(lines, blank))
        if len(solid):
            first = int(solid[0])
            rest = Segment(segment.at + int(lines.edges[first + 1]), lines[first + 1 :])
            header = lines.one(first)
            return CsvText(mark + header, header, _before(rest, records))
    return CsvText(mark, None, iter(()))


def names_of(header: bytes, delimiter: int, label: str) -> tuple[str, ...]:
    """Return the names in a header. Raises ``BadObject`` if it is not one."""
    lines = Lines(header, np.array([0, len(header)], dtype=np.int64))
    fields = split(lines, delimiter)
    if not fields.formed[0] or not utf8(lines)[0]:
        raise BadObject("a CSV header is malformed or not UTF-8", object=label)
    width = int(fields.counts[0])
    texts = (fields.texts(fields.formed, number, width) for number in range(width))
    return tuple(str(text[0].as_py()) for text in texts)


def _before(first: Segment, others: Iterator[Segment]) -> Iterator[Segment]:
    yield first
    yield from others
