"""CSV: however the bytes are cut, the records are the same; and they are those of RFC 4180."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.formats.csv import Csv
from connectors.formats.quotes import QuotedEnds
from repatria.batch import LINE, Batch
from repatria.dataset import CsvShape, Format
from repatria.errors import BadObject
from repatria.limits import Limits
from tests.unit.text_objects import Text, column, dataset, lines, positions, read, refused

OF = dataset(Format.CSV)
TABS = dataset(Format.CSV, shape=CsvShape(delimiter="\t"))
NAMES = ["n", "user", "country", "at"]
HEADER = b"n,user,country,at\n"
FIELDS = st.text(alphabet=st.sampled_from(list('ab,"\n\r\t; ü')), max_size=5)
ROWS = st.lists(st.lists(FIELDS, min_size=3, max_size=3), max_size=12)
SOUP = st.lists(
    st.sampled_from(
        [b'"', b'"', b",", b",", b"\n", b"\r\n", b"a", b"7", b" ", b"\xff", b"IE", b'""']
    ),
    max_size=60,
).map(b"".join)
BODIES = st.builds(
    lambda mark, soup: mark + HEADER + soup, st.sampled_from([b"", b"\xef\xbb\xbf"]), SOUP
)
LIMITS = Limits(record_bytes=40)


def story(batches: Sequence[Batch]) -> tuple[list[int], list[bytes], list[tuple[int, str]]]:
    return positions(batches), lines(batches), refused(batches)


def ended_by_hand(text: bytes, delimiter: int = 0x2C) -> tuple[list[int], int | None]:
    """Walk one octet after the other: where records end, and where a quote that stays open is."""
    ends, state, opened = [], "begin", -1
    for place, octet in enumerate(text):
        if state == "quoted":
            state = "closed" if octet == 0x22 else "quoted"
        elif octet == 0x0A:
            ends.append(place + 1)
            state = "begin"
        elif octet == delimiter:
            state = "begin"
        elif octet == 0x22 and state in ("begin", "closed"):
            opened = place if state == "begin" else opened
            state = "quoted"
        else:
            state = "plain"
    return ends, opened if state == "quoted" else None


@given(SOUP, st.integers(1, 61))
def test_records_end_where_a_walk_over_every_octet_says(soup: bytes, size: int) -> None:
    ends = QuotedEnds(0x2C, 0, "a")
    found = []
    for start in range(0, len(soup), size):
        found += [int(end) + start for end in ends.ends(soup[start : start + size])]
    expected, stays_open = ended_by_hand(soup)
    assert found == expected
    if stays_open is None:
        ends.finish()
        return
    with pytest.raises(BadObject) as caught:
        ends.finish()
    assert caught.value.facts["opened_at_byte"] == stays_open


@given(BODIES)
def test_every_record_is_accepted_refused_or_blank(body: bytes) -> None:
    mark = len(body) - len(body.removeprefix(b"\xef\xbb\xbf"))
    ends, stays_open = ended_by_hand(body[mark:])
    assume(stays_open is None)
    batches = read(Csv(Limits()), OF, body)
    bounds = [mark, *(mark + end for end in ends)]
    bounds += [len(body)] if bounds[-1] < len(body) else []
    solid = [
        (start, body[start:stop])
        for start, stop in pairwise(bounds[1:])
        if body[start:stop].strip(b" \t\r\n")
    ]
    bad = [place for place, _ in refused(batches)]
    assert sorted(positions(batches) + bad) == [start for start, _ in solid]
    assert lines(batches) == [record for start, record in solid if start not in bad]


@given(BODIES, st.integers(1, 120), st.integers(1, 30), st.booleans())
def test_any_windows_and_chunks_give_the_same_records(
    body: bytes, batch_bytes: int, chunk_bytes: int, zipped: bool
) -> None:
    assume(ended_by_hand(body.removeprefix(b"\xef\xbb\xbf"))[1] is None)
    codec = Csv(Limits(record_bytes=40, batch_bytes=batch_bytes))
    stored = gzip.compress(body, mtime=0) if zipped else body
    batches = read(codec, OF, Text(stored, chunk_bytes), "a.gz" if zipped else "a")
    assert [batch.ordinal for batch in batches] == list(range(-(-len(body) // batch_bytes)))
    for batch in batches:
        low = batch.ordinal * batch_bytes
        places = positions([batch]) + [place for place, _ in refused([batch])]
        assert all(low <= place < low + batch_bytes for place in places)
    assert story(batches) == story(read(Csv(LIMITS), OF, body))


@given(BODIES, st.integers(1, 60), st.integers(-1, 8))
def test_what_follows_any_batch_is_the_same_after_a_restart(
    body: bytes, batch_bytes: int, after: int
) -> None:
    assume(ended_by_hand(body.removeprefix(b"\xef\xbb\xbf"))[1] is None)
    codec = Csv(Limits(record_bytes=40, batch_bytes=batch_bytes))
    whole = read(codec, OF, body)
    rest = read(codec, OF, body, after=after if after >= 0 else None)
    assert [batch.ordinal for batch in rest] == [b.ordinal for b in whole[after + 1 :]]
    assert story(rest) == story(whole[after + 1 :])


@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
       st.sampled_from(["\n", "\r\n"]), st.booleans())  # fmt: skip
def test_valid_files_read_as_with_the_csv_module_of_python(
    rows: list[list[str]], quoting: Literal[0, 1], end: str, tabs: bool
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator=end, delimiter="\t" if tabs else ",")
    writer.writerow(NAMES)
    if end == "\n":  # Then the writer leaves a lone CR unquoted, which RFC 4180 does not know.
        rows = [[text.replace("\r", "") for text in row] for row in rows]
    writer.writerows([[n, a, b, ""] for n, (a, b, _) in enumerate(rows)])
    body = out.getvalue().encode()
    (batch,) = read(Csv(Limits()), TABS if tabs else OF, body)
    parsed = list(csv.reader(io.StringIO(out.getvalue(), newline=""), writer.dialect))[1:]
    assert refused([batch]) == []
    assert batch.preamble + b"".join(lines([batch])) == body
    assert column([batch], "user") == [row[1] for row in parsed]
    assert column([batch], "country") == [row[2] for row in parsed]
    assert [str(n) for n in column([batch], "n")] == [row[0] for row in parsed]


@given(BODIES, st.sampled_from(["a", "a.gz", "a.zst"]), st.data())
def test_parcels_come_back(body: bytes, name: str, data: st.DataObject) -> None:
    assume(ended_by_hand(body.removeprefix(b"\xef\xbb\xbf"))[1] is None)
    codec = Csv(LIMITS)
    (batch,) = read(codec, OF, body)
    count = batch.rows.num_rows
    mask = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    rows = batch.rows.filter(pa.array(mask, pa.bool_()))
    parcel = codec.encode(OF, rows, batch.preamble, name)
    assert codec.decode(OF, parcel, name).column(LINE).to_pylist() == rows.column(LINE).to_pylist()
