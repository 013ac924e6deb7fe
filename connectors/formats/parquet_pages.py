"""Headers of Parquet pages, read without decoding any: what a column chunk really holds.

A footer is a claim, and so is a page header; but the decoder takes the header at its word, so
the header says what decoding will cost. Costs about 10 µs per page, and reads no further byte.
Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from connectors.formats.thrift import Reader, Struct

DELTA_BYTE_ARRAY: Final = 7

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_TYPE, _UNPACKED, _PACKED = 1, 2, 3
_DETAILS: Final = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
_VALUES: Final = 1
_ENCODING: Final = {_DATA: 2, _DICTIONARY: 2, _DATA_V2: 4}


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its bytes once unpacked, and the values that it says to hold, nulls included."""

    dictionary: bool
    unpacked: int
    values: int
    encoding: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the pages of one column chunk come to, in bytes and values.

    ``dictionary`` is the size of its dictionary, ``widest`` that of its largest page, ``prefixed``
    that of its largest page whose values repeat parts of those before.
    """

    values: int
    unpacked: int
    widest: int
    dictionary: int
    prefixed: int

    @classmethod
    def of(cls, pages: Iterable[Page]) -> Load:
        """Add pages up."""
        values = unpacked = widest = dictionary = prefixed = 0
        for page in pages:
            unpacked += page.unpacked
            widest = max(widest, page.unpacked)
            if page.dictionary:
                dictionary = max(dictionary, page.unpacked)
                continue
            values += page.values
            if page.encoding == DELTA_BYTE_ARRAY:
                prefixed = max(prefixed, page.unpacked)
        return cls(values, unpacked, widest, dictionary, prefixed)


PADDING: Final = 100
"""Old writers did not count a dictionary's header: readers look so many bytes past a chunk."""


def pages(chunk: memoryview, size: int, values: int) -> Iterator[Page]:
    """Yield the pages of a chunk of ``size`` bytes, until they hold ``values`` or it ends.

    ``chunk`` has up to ``PADDING`` bytes more. Raises ``ValueError`` where there is no page.
    """
    at = seen = 0
    while at < len(chunk) and seen < values:
        try:
            page, at = _page(chunk, at)
        except ValueError:
            if at < size:
                raise
            return
        if page is not None:
            seen += 0 if page.dictionary else page.values
            yield page


def first_page(start: memoryview) -> Iterator[Page]:
    """Yield the page with which a chunk begins, of which no more than the header need be there."""
    page, _ = _page(start, 0)
    if page is not None:
        yield page


def _page(chunk: memoryview, at: int) -> tuple[Page | None, int]:
    """Return the page at ``at`` (None for an index), and where the next one begins."""
    reader = Reader(chunk, at)
    header = reader.struct()
    packed, unpacked = _count(header, _PACKED), _count(header, _UNPACKED)
    after = reader.at + packed
    kind = header.get(_TYPE)
    if not isinstance(kind, int) or kind not in _DETAILS:
        return None, after
    details = header.get(_DETAILS[kind])
    if not isinstance(details, dict):
        raise ValueError("a page does not say what it holds")  # noqa: TRY004 - of the bytes
    values, encoding = _count(details, _VALUES), _count(details, _ENCODING[kind])
    return Page(kind == _DICTIONARY, unpacked, values, encoding), after


def _count(header: Struct, number: int) -> int:
    found = header.get(number)
    if not isinstance(found, int) or found < 0:
        raise ValueError("a page header lacks a number")
    return found
