"""JSON lines: every line is a whole object or refused, and arrives as the bytes it was."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from itertools import accumulate

import pyarrow as pa
import pytest

from connectors.formats.json_judge import JsonJudge
from connectors.formats.jsonl import JsonLines
from connectors.formats.lines import LineEnds
from connectors.formats.segments import segments
from connectors.formats.strict_json import depth, judged
from repatria.batch import LINE, Reason
from repatria.dataset import Column, ColumnType, Format
from repatria.errors import BadObject, ReadBackMismatch
from repatria.limits import Limits
from repatria.slice import ByteRange, Whole
from tests.unit.text_objects import (
    Text,
    column,
    dataset,
    lines,
    piece,
    positions,
    read,
    refused,
)

OF = dataset(Format.JSONL)
CODEC = JsonLines(Limits())
GOOD = b'{"n":1,"user":"u1","country":"IE","at":"2024-05-06T07:08:09Z"}\n'


def one(line: bytes) -> str:
    """Return what becomes of a line between two good ones: a reason, or that it is accepted."""
    batches = read(CODEC, OF, GOOD + line + b"\n" + GOOD)
    bad = refused(batches)
    if not bad:
        assert lines(batches) == [GOOD, line + b"\n", GOOD]
        return "accepted"
    assert lines(batches) == [GOOD, GOOD]
    assert [place for place, _ in bad] == [len(GOOD)]
    return bad[0][1]


def with_x(value: bytes) -> bytes:
    return b'{"n":2,"user":"u","country":"IE","x":' + value + b"}"


def test_a_batch_has_lines_deciding_columns_and_positions() -> None:
    body = GOOD + b' {"at":null,"user":"u\\u0032","n":-5,"extra":[1.0, 2]} \r\n' + GOOD[:-1]
    (batch,) = read(CODEC, OF, body)
    assert batch.last
    assert batch.ordinal == 0
    assert list(zip(batch.rows.schema.names, batch.rows.schema.types, strict=True)) == [
        (LINE, pa.large_binary()),
        ("n", pa.int64()),
        ("user", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("country", pa.string()),
    ]
    assert b"".join(lines([batch])) == body
    assert positions([batch]) == [0, len(GOOD), len(body) - len(GOOD) + 1]
    assert column([batch], "user") == ["u1", "u2", "u1"]
    assert column([batch], "n") == [1, -5, 1]
    assert column([batch], "country") == ["IE", None, "IE"]
    moment = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert column([batch], "at") == [moment, None, moment]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"  \t\r\n", b"\xef\xbb\xbf"])
def test_an_object_without_records_has_one_empty_batch(body: bytes) -> None:
    (batch,) = read(CODEC, OF, body)
    assert batch.last
    assert batch.read == 0
    assert batch.rows.schema.names == [LINE, "n", "user", "at", "country"]


def test_a_byte_order_mark_is_no_part_of_the_first_record() -> None:
    batches = read(CODEC, OF, b"\xef\xbb\xbf" + GOOD)
    assert lines(batches) == [GOOD]
    assert positions(batches) == [3]


def test_blank_lines_are_no_records() -> None:
    body = b"\n" + GOOD + b"  \t \r\n\n" + GOOD + b"\r\n "
    batches = read(CODEC, OF, body)
    assert lines(batches) == [GOOD, GOOD]
    assert refused(batches) == []
    assert positions(batches) == [1, 1 + len(GOOD) + 7]


def test_only_a_line_feed_ends_a_record() -> None:
    line = '{"n":1,"user":"a\u2028b\u0085c","country":"IE","x":\r1}\n'.encode()
    batches = read(CODEC, OF, line + GOOD)
    assert lines(batches) == [line, GOOD]
    assert refused(batches) == []


ACCEPTED_LINES = [
    b"{}",
    b' \t{"n":3}\r',
    with_x(b"1e400"),
    with_x(b"-1E+999"),
    with_x(b"1e-999"),
    with_x(b"9" * 5_000),
    with_x(b"12345678901234567890123456789.0"),
    with_x(b'"NaN, Infinity: NaN"'),
    with_x(b'"Information [NaN]"'),
    with_x(b'[{"a":1},{"a":{"a":2}}]'),
    with_x(b'{"\\u0061":1,"b":2}'),
    with_x(b"{" + b",".join(b'"%d":0' % number for number in range(2_000)) + b"}"),
    with_x(b'"\\ud83d\\ude00 \\u0000 \xf0\x9f\x98\x80 \x7f"'),
    with_x(b'{"":{"\\"":"}{"}}'),
    with_x(b'"' + b"[{" * 500 + b'"'),
    with_x(b'"\\\\\\"' + b"[" * 500 + b'"'),
    with_x(b"[" * 99 + b"]" * 99),
    with_x(b"[" + b"[]," * 500 + b"{}]"),
    b'{"n":9223372036854775807,"user":"u"}',
    b'{"n":-9223372036854775808,"user":"u"}',
    b'{"n":-0,"user":""}',
    b'{"n":null,"user":null,"at":null,"country":null}',
    b'{"user":"u","at":"2024-02-29t23:59:59.000001z"}',
    b'{"user":"u","at":"2024-02-29 23:59:59.1+14:00"}',
    b'{"us\\u0065r":"u"}',
]


@pytest.mark.parametrize("line", ACCEPTED_LINES, ids=range(len(ACCEPTED_LINES)))
def test_valid_lines_are_accepted(line: bytes) -> None:
    assert one(line) == "accepted"


REFUSED_LINES = [
    (with_x(b'{"a":1,"a":2}'), "malformed"),
    (with_x(b'[0,{"b":{"a":1,"c":[{}],"a":1}}]'), "malformed"),
    (with_x(b'{"a":1,"\\u0061":2}'), "malformed"),
    (with_x(b'{"a b":1,"a b" : 2}'), "malformed"),
    (with_x(b"0")[:-1] + b',"x":0}', "malformed"),
    (b'{"a_long_name_1":1,"a_long_name_2":2,"a_long_name_1":3}', "malformed"),
    (with_x(b"{" + b",".join(b'"%d":0' % (n % 1_999) for n in range(2_000)) + b"}"), "malformed"),
    (b"[]", "malformed"),
    (b'"text"', "malformed"),
    (b"null", "malformed"),
    (b"{", "malformed"),
    (b"}", "malformed"),
    (b"{}{}", "malformed"),
    (b"{} {}", "malformed"),
    (b'{"n":1} x {"n":2}', "malformed"),
    (b"\xef\xbb\xbf{}", "malformed"),
    (b'{"n":1,}', "malformed"),
    (b"{'n':1}", "malformed"),
    (b'{"n":01}', "malformed"),
    (with_x(b"NaN"), "malformed"),
    (with_x(b"-Infinity"), "malformed"),
    (with_x(b"[1,Inf]"), "malformed"),
    (with_x(b"[\tNaN]"), "malformed"),
    (with_x(b"tru"), "malformed"),
    (with_x(b'"\x01"'), "malformed"),
    (with_x(b'"\x00"'), "malformed"),
    (b"{}\x00{}", "malformed"),
    (with_x(b'"\\ud800"'), "malformed"),
    (with_x(b'"\\udc00\\ud800"'), "malformed"),
    (with_x(b'{"\\ud800":1}'), "malformed"),
    (with_x(b'"\\x41"'), "malformed"),
    (b'{"user":"a","user":"a"}', "malformed"),
    (b'{"user":null,"us\\u0065r":"a"}', "malformed"),
    (with_x(b'"\xff"'), "encoding"),
    (with_x(b'"\xed\xa0\x80"'), "encoding"),
    (b'{"\xc3":1}', "encoding"),
    (GOOD.decode().encode("utf-16"), "encoding"),
    (b'{"user":5}', "wrong-type"),
    (b'{"user":true}', "wrong-type"),
    (b'{"user":["u"]}', "wrong-type"),
    (b'{"country":{}}', "wrong-type"),
    (b'{"n":"1"}', "wrong-type"),
    (b'{"n":1.0}', "wrong-type"),
    (b'{"n":1e3}', "wrong-type"),
    (b'{"n":true}', "wrong-type"),
    (b'{"n":9223372036854775808}', "wrong-type"),
    (b'{"n":' + b"9" * 9_000 + b"}", "wrong-type"),
    (b'{"at":1700000000}', "wrong-type"),
    (b'{"at":""}', "wrong-type"),
    (b'{"at":"2024-02-30T00:00:00Z"}', "wrong-type"),
    (b'{"at":"2024-02-03T00:00:00"}', "wrong-type"),
    (b'{"at":"2024-02-03"}', "wrong-type"),
    (b'{"at":"2024-02-03T00:00:00.1234567Z"}', "wrong-type"),
    (b'{"at":" 2024-02-03T00:00:00Z"}', "wrong-type"),
    (with_x(b"[" * 100 + b"]" * 100), "too-deep"),
    (with_x(b"[" * 1_000_000 + b"]" * 1_000_000), "too-deep"),
    (with_x(b'{"":' * 50_000 + b"1" + b"}" * 50_000), "too-deep"),
    (b"{" * 200, "too-deep"),
    (with_x(b'"' + b'\\"' * 100_000), "malformed"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED_LINES, ids=range(len(REFUSED_LINES)))
def test_other_lines_are_refused_and_their_neighbours_are_not(line: bytes, reason: str) -> None:
    if b"\n" in line:
        line = line.replace(b"\n", b"")
    assert one(line) == reason


@pytest.mark.parametrize("line", ACCEPTED_LINES, ids=range(len(ACCEPTED_LINES)))
def test_the_fast_way_and_the_strict_one_take_the_same_values(line: bytes) -> None:
    (segment,) = segments([line + b"\n"], 0, LineEnds(), 1 << 40)
    fast = JsonJudge(OF.deciding, 100).judge(segment.lines).columns
    text = (Column("n", ColumnType.INT64), Column("user"), Column("country"))
    values = judged(line, text, 100)
    assert not isinstance(values, Reason)
    assert fast.select(["n", "user", "country"]).to_pylist() == [
        dict(zip(("n", "user", "country"), values, strict=True))
    ]


def test_one_record_over_several_lines_is_no_record() -> None:
    body = GOOD + b'{"n":1,\n"user":"u"}\n' + b'{"a":{}\n{"b":1}}\n' + GOOD
    batches = read(CODEC, OF, body)
    assert lines(batches) == [GOOD, GOOD]
    assert [reason for _, reason in refused(batches)] == ["malformed"] * 4


def test_many_bad_lines_among_good_ones_are_told_apart() -> None:
    bad = {
        b'{"user":1}\n': "wrong-type",
        b'{"n":1,}\n': "malformed",
        b'{"x":"\xff"}\n': "encoding",
        b'{"x":NaN}\n': "malformed",
    }
    body = [GOOD if n % 7 else list(bad)[n % 4] for n in range(2_000)]
    starts = list(accumulate(map(len, body), initial=0))
    placed = list(zip(starts, body, strict=False))
    batches = read(CODEC, OF, b"".join(body))
    assert lines(batches) == [line for line in body if line == GOOD]
    assert positions(batches) == [place for place, line in placed if line == GOOD]
    assert refused(batches) == [(place, bad[line]) for place, line in placed if line != GOOD]


def test_depth_counts_brackets_outside_of_strings() -> None:
    assert depth(b'{"a":[[]],"b":"[[[[[[","c\\"[[[[[":{}}') == 3
    assert depth(b'{"a') == 1
    assert depth(b"]]]][[") == 0


@pytest.mark.parametrize("chunk_bytes", [1, 7, 65_536])
def test_a_record_over_the_limit_is_refused_by_its_start_alone(chunk_bytes: int) -> None:
    long = with_x(b'"' + b"y" * 500 + b'"') + b"\n"
    codec = JsonLines(Limits(record_bytes=len(long) - 1))
    batches = read(codec, OF, Text(GOOD + long + GOOD, chunk_bytes))
    assert lines(batches) == [GOOD, GOOD]
    assert refused(batches) == [(len(GOOD), "too-large")]
    assert refused(read(JsonLines(Limits(record_bytes=len(long))), OF, GOOD + long)) == []


def test_a_giant_record_is_not_held() -> None:
    chunk = b"z" * 1_000_000

    def stream() -> list[bytes]:
        return [GOOD + b'{"x":"', *[chunk] * 40, b'"}\n' + GOOD]

    found = list(segments(stream(), 0, LineEnds(), 2_000_000))
    assert max(len(segment.lines.data) for segment in found) < 3_000_000
    assert [len(segment.starts) for segment in found] == [1, 1, 1]
    assert found[1].stop - found[1].at == 40_000_009
    assert found[2].lines.one(0) == GOOD


def test_windows_hold_what_begins_in_them() -> None:
    body = GOOD * 2 + with_x(b'"' + b"y" * 300 + b'"') + b"\n" + GOOD
    codec = JsonLines(Limits(batch_bytes=70))
    batches = read(codec, OF, body)
    assert [batch.ordinal for batch in batches] == list(range(-(-len(body) // 70)))
    assert [batch.last for batch in batches] == [False] * (len(batches) - 1) + [True]
    for batch in batches:
        assert all(
            batch.ordinal * 70 <= place < (batch.ordinal + 1) * 70 for place in positions([batch])
        )
    assert b"".join(lines(batches)) == body
    assert [batch.read for batch in batches].count(0) == len(batches) - 4 + 1


@pytest.mark.parametrize("relative", ["a", "a.gz"])
def test_a_restart_yields_the_rest_and_the_same(relative: str) -> None:
    plain = b"".join(GOOD.replace(b"u1", b"user-%d" % (n * n)) for n in range(50))
    body = gzip.compress(plain) if relative.endswith("gz") else plain
    codec = JsonLines(Limits(batch_bytes=333))
    whole = read(codec, OF, body, relative)
    for after in range(len(whole) + 1):
        rest = read(codec, OF, body, relative, after=after)
        assert [batch.ordinal for batch in rest] == list(range(after + 1, len(whole)))
        assert lines(rest) == lines(whole[after + 1 :])
        assert positions(rest) == positions(whole[after + 1 :])


def test_a_restart_in_a_plain_object_reads_on_from_where_it_was() -> None:
    text = Text(GOOD * 1_000)
    read(JsonLines(Limits(batch_bytes=1_000)), OF, text, after=49)
    assert text.reads[0][0] == 49_999


def test_only_large_plain_objects_are_cut() -> None:
    codec = JsonLines(Limits(slice_bytes=100))
    text = Text(b"x" * 250)
    assert codec.cut(OF, text, "a") == (ByteRange(0, 100), ByteRange(100, 200), ByteRange(200, 250))
    assert codec.cut(OF, text, "a.gz") == (Whole(),)
    assert codec.cut(OF, Text(b"x" * 100), "a") == (Whole(),)
    assert codec.cut(OF, Text(b""), "a") == (Whole(),)


def test_a_range_that_ends_with_a_line_reads_nothing_beyond() -> None:
    text = Text(GOOD * 10)
    batches = read(CODEC, OF, text, cut=ByteRange(len(GOOD), 3 * len(GOOD)))
    assert positions(batches) == [len(GOOD), 2 * len(GOOD)]
    assert text.reads == [(len(GOOD) - 1, 3 * len(GOOD))]


def test_a_range_inside_one_record_has_an_empty_batch() -> None:
    body = with_x(b'"' + b"y" * 300 + b'"') + b"\n" + GOOD
    (batch,) = read(CODEC, OF, body, cut=ByteRange(100, 200))
    assert batch.last
    assert batch.read == 0


def test_a_range_gives_up_on_a_record_without_end_at_its_limit() -> None:
    text = Text(GOOD + b"x" * 20_000_000)
    codec = JsonLines(Limits(record_bytes=1_000_000))
    batches = read(codec, OF, text, cut=ByteRange(0, 100))
    assert lines(batches) == [GOOD]
    assert refused(batches) == [(len(GOOD), "too-large")]
    assert text.reads[-1][1] < 3_000_000


def test_a_damaged_object_names_its_label_and_nothing_of_its_content() -> None:
    body = gzip.compress(GOOD * 100)[:-3]
    with pytest.raises(BadObject) as caught:
        read(CODEC, OF, body, "a.gz")
    assert "users/a" in str(caught.value)
    assert "u1" not in str(caught.value)


def test_nothing_of_a_record_is_in_a_repr() -> None:
    (segment,) = segments([GOOD], 0, LineEnds(), 1_000)
    (batch,) = read(CODEC, OF, GOOD)
    for shown in (segment, segment.lines, batch, JsonJudge(OF.deciding, 9).judge(segment.lines)):
        assert "u1" not in repr(shown)


@pytest.mark.parametrize("name", ["a", "a.gz", "a.zst"])
def test_a_parcel_comes_back_as_it_was_put(name: str) -> None:
    (batch,) = read(CODEC, OF, GOOD * 3 + b"bad\n" + b"\n" + GOOD[:-1])
    body = CODEC.encode(OF, batch.rows, batch.preamble, name)
    assert body == CODEC.encode(OF, batch.rows, batch.preamble, name)
    assert CODEC.decode(OF, body, name).column(LINE).to_pylist() == [GOOD] * 3 + [GOOD[:-1]]


def test_a_plain_parcel_is_the_bytes_of_its_lines() -> None:
    (batch,) = read(CODEC, OF, GOOD * 3 + b" " + GOOD)
    parcel = batch.rows.filter(pa.array([False, True, True, True]))
    assert CODEC.encode(OF, parcel, b"", "a").to_pybytes() == GOOD * 2 + b" " + GOOD


def test_an_inner_line_without_a_terminator_gets_one() -> None:
    chunks = [[GOOD[:-1], GOOD], [GOOD[:-1]], [], [GOOD[:-1], GOOD[:-1]]]
    rows = pa.table({LINE: pa.chunked_array(chunks, pa.large_binary())})
    assert CODEC.encode(OF, rows, b"", "a").to_pybytes() == GOOD * 4 + GOOD[:-1]


@pytest.mark.parametrize("name", ["a", "a.gz", "a.zst"])
def test_an_empty_parcel_comes_back_empty(name: str) -> None:
    (batch,) = read(CODEC, OF, b"")
    body = CODEC.encode(OF, batch.rows, b"", name)
    assert CODEC.decode(OF, body, name).num_rows == 0
    assert CODEC.decode(OF, body, name).schema == pa.schema([(LINE, pa.large_binary())])


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_a_parcel_that_is_not_packed_as_its_name_says_is_a_mismatch(name: str) -> None:
    with pytest.raises(ReadBackMismatch):
        CODEC.decode(OF, pa.py_buffer(GOOD), name)


def test_a_buffer_that_was_shrunk_is_read_to_its_size() -> None:
    codec = pa.Codec("zstd")
    shrunk = codec.compress(pa.py_buffer(GOOD * 100))
    assert len(memoryview(shrunk)) > shrunk.size
    assert CODEC.decode(OF, shrunk, "a.zst").num_rows == 100


def test_a_dataset_without_a_country_column_decides_by_user() -> None:
    of = replace(OF, version=None, identity=(Column("user"),))
    (batch,) = read(CODEC, of, GOOD)
    assert batch.rows.schema.names == [LINE, "user", "country"]
    assert piece(GOOD).cut == Whole()
