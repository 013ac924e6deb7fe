"""JSON lines: however the bytes are cut, the records are the same."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.jsonl import JsonLines
from connectors.formats.lines import LineEnds, whole
from connectors.formats.segments import segments
from repatria.batch import LINE, Batch
from repatria.dataset import Format
from repatria.limits import Limits
from tests.unit.text_objects import Text, dataset, lines, positions, read, refused

OF = dataset(Format.JSONL)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
DECIDING = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers() | JSON,
        "user": st.text(max_size=6) | JSON,
        "country": st.sampled_from(["IE", "DE", None, 5]),
        "at": st.sampled_from(["2024-01-01T00:00:00Z", "2024-13-01T00:00:00Z", None]),
        "x": JSON,
    },
)
RECORDS = st.builds(
    lambda record, ascii_only: json.dumps(record, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    ),
    DECIDING,
    st.booleans(),
)
JUNK = st.binary(max_size=12).map(lambda data: data.replace(b"\n", b""))
LINES = st.one_of(
    RECORDS, RECORDS, RECORDS, JUNK, st.sampled_from([b"", b" \r", b"{}", b'{"x":NaN}', b'{"n":1']),
    st.builds(lambda record, junk: record[:-1] + junk, RECORDS, JUNK),
)  # fmt: skip
BODIES = st.builds(
    lambda mark, records, end: mark + b"\n".join(records) + end,
    st.sampled_from([b"", b"", b"\xef\xbb\xbf"]),
    st.lists(LINES, max_size=25),
    st.sampled_from([b"", b"\n"]),
)
LIMITS = Limits(nesting=6, record_bytes=150)


def story(batches: Sequence[Batch]) -> tuple[list[int], list[bytes], list[tuple[int, str]]]:
    return positions(batches), lines(batches), refused(batches)


def deciding(batches: Sequence[Batch]) -> pa.Table:
    return pa.concat_tables([batch.rows for batch in batches]).combine_chunks()


@given(BODIES)
def test_every_line_is_a_record_a_refusal_or_blank(body: bytes) -> None:
    batches = read(JsonLines(LIMITS), OF, body)
    mark = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    expected, place = [], mark
    for line in body[mark:].split(b"\n"):
        if line.strip(b" \t\r"):
            expected.append(place)
        place += len(line) + 1
    assert sorted(positions(batches) + [place for place, _ in refused(batches)]) == expected
    for place, line in zip(positions(batches), lines(batches), strict=True):
        assert body[place : place + len(line)] == line
        assert isinstance(json.loads(line, parse_constant=pytest.fail), dict)


@given(BODIES, st.integers(1, 200), st.integers(1, 200))
def test_any_cut_into_byte_ranges_gives_the_same_records(
    body: bytes, slice_bytes: int, batch_bytes: int
) -> None:
    limits = Limits(nesting=6, record_bytes=150, slice_bytes=slice_bytes, batch_bytes=batch_bytes)
    codec = JsonLines(limits)
    found = []
    for cut in codec.cut(OF, Text(body), "a"):
        batches = read(codec, OF, body, cut=cut)
        assert [batch.last for batch in batches][-1:] == [True]
        found += batches
    whole = read(JsonLines(LIMITS), OF, body)
    assert story(found) == story(whole)
    assert deciding(found).equals(deciding(whole))


@given(BODIES, st.integers(1, 300), st.integers(1, 40), st.booleans())
def test_any_windows_and_chunks_give_the_same_records(
    body: bytes, batch_bytes: int, chunk_bytes: int, zipped: bool
) -> None:
    codec = JsonLines(Limits(nesting=6, record_bytes=150, batch_bytes=batch_bytes))
    relative = "a.gz" if zipped else "a"
    stored = gzip.compress(body, mtime=0) if zipped else body
    batches = read(codec, OF, Text(stored, chunk_bytes), relative)
    assert [batch.ordinal for batch in batches] == list(range(len(batches)))
    for batch in batches:
        low = batch.ordinal * batch_bytes
        places = positions([batch]) + [place for place, _ in refused([batch])]
        assert all(low <= place < low + batch_bytes for place in places)
    assert story(batches) == story(read(JsonLines(LIMITS), OF, body))


@given(BODIES, st.integers(1, 100), st.integers(-1, 30))
def test_what_follows_any_batch_is_the_same_after_a_restart(
    body: bytes, batch_bytes: int, after: int
) -> None:
    codec = JsonLines(Limits(nesting=6, record_bytes=150, batch_bytes=batch_bytes))
    whole = read(codec, OF, body)
    rest = read(codec, OF, body, after=after if after >= 0 else None)
    assert [batch.ordinal for batch in rest] == [b.ordinal for b in whole[after + 1 :]]
    assert [batch.last for batch in rest] == [b.last for b in whole[after + 1 :]]
    assert story(rest) == story(whole[after + 1 :])


@given(LINES, st.lists(LINES, max_size=30), st.lists(LINES, max_size=30))
def test_neighbours_never_decide_about_a_line(
    line: bytes, before: list[bytes], after: list[bytes]
) -> None:
    codec = JsonLines(LIMITS)
    alone = read(codec, OF, b"{}\n" + line)
    body = b"\n".join([b"{}", *before, line, *after])
    place = len(b"\n".join([b"{}", *before])) + 1
    among = read(codec, OF, body)
    assert (place in positions(among)) == (3 in positions(alone))
    assert dict(refused(among)).get(place) == dict(refused(alone)).get(3)


@given(BODIES, st.sampled_from(["a", "a.gz", "a.zst"]), st.data())
def test_parcels_come_back(body: bytes, name: str, data: st.DataObject) -> None:
    codec = JsonLines(LIMITS)
    (batch,) = read(codec, OF, body)
    count = batch.rows.num_rows
    mask = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    rows = batch.rows.filter(pa.array(mask, pa.bool_()))
    parcel = codec.encode(OF, rows, batch.preamble, name)
    assert codec.decode(OF, parcel, name).column(LINE).to_pylist() == rows.column(LINE).to_pylist()


@given(BODIES, st.integers(1, 9))
def test_a_text_that_is_held_has_the_lines_of_one_that_is_streamed(body: bytes, size: int) -> None:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    streamed = [part.lines for part in segments(pieces, 0, LineEnds(), 1 << 62)]
    held = whole(memoryview(body)).lines
    assert [held.one(n) for n in range(len(held))] == [
        part.one(n) for part in streamed for n in range(len(part))
    ]
