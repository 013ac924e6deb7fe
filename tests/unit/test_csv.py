"""CSV: records end where RFC 4180 says, and a bad one spoils as little as possible."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from connectors.formats.csv import Csv
from connectors.formats.lines import LineEnds
from connectors.formats.quotes import QuotedEnds
from connectors.formats.segments import segments
from repatria.batch import LINE
from repatria.dataset import ByCountry, Column, ColumnType, CsvShape, Format
from repatria.errors import BadObject, ConfigRefused, ReadBackMismatch
from repatria.limits import Limits
from repatria.slice import Whole
from tests.unit.text_objects import (
    Text,
    column,
    dataset,
    lines,
    positions,
    read,
    refused,
)

OF = dataset(Format.CSV)
CODEC = Csv(Limits())
HEADER = b"n,user,country,at,note\n"
GOOD = b"1,u1,IE,2024-05-06T07:08:09Z,hello\n"


def one(record: bytes) -> str:
    """Return what becomes of a record between two good ones: a reason, or that it is accepted."""
    batches = read(CODEC, OF, HEADER + GOOD + record + b"\n" + GOOD)
    bad = refused(batches)
    if not bad:
        assert lines(batches) == [GOOD, record + b"\n", GOOD]
        return "accepted"
    assert lines(batches) == [GOOD, GOOD]
    assert [place for place, _ in bad] == [len(HEADER) + len(GOOD)]
    return bad[0][1]


def test_a_batch_has_lines_deciding_columns_positions_and_the_header() -> None:
    body = HEADER + GOOD + b'2,"u ""2"", x",,,"two\nlines"\r\n' + b"-3,,DE,,last"
    (batch,) = read(CODEC, OF, body)
    assert batch.preamble == HEADER
    assert list(zip(batch.rows.schema.names, batch.rows.schema.types, strict=True)) == [
        (LINE, pa.large_binary()),
        ("n", pa.int64()),
        ("user", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("country", pa.string()),
    ]
    assert batch.preamble + b"".join(lines([batch])) == body
    assert positions([batch]) == [len(HEADER), len(HEADER + GOOD), len(body) - 12]
    assert column([batch], "n") == [1, 2, -3]
    assert column([batch], "user") == ["u1", 'u "2", x', ""]
    assert column([batch], "country") == ["IE", "", "DE"]
    assert column([batch], "at") == [datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), None, None]


ACCEPTED_RECORDS = [
    b"1,u,IE,,",
    b",,,,",
    b'"","","","",""',
    b'"1","u","IE","2024-05-06T07:08:09+02:00","x"',
    b'1,u,IE,,"a\r\nb\n\n\rc"',
    b'1,u,IE,,""""',
    b'1,u,IE,,"a"",""b"',
    b'1,u,IE,,"\n1,u,IE,,x"\r',
    "1,ü\u2028,IE,,\U0001f600".encode(),
    b"1, u ,IE,, x ",
    b"007,u,IE,,",
    b"-9223372036854775808,u,IE,,",
    b"1,u\x00,IE,,",
]


@pytest.mark.parametrize("record", ACCEPTED_RECORDS, ids=range(len(ACCEPTED_RECORDS)))
def test_valid_records_are_accepted(record: bytes) -> None:
    assert one(record) == "accepted"


REFUSED_RECORDS = [
    (b"1,u,IE,", "wrong-columns"),
    (b"1,u,IE,,,", "wrong-columns"),
    (b"x", "wrong-columns"),
    (b'1,u,IE,,a"b', "malformed"),
    (b'1,u,IE,,a"b"', "malformed"),
    (b'1,u,IE,,a""b', "malformed"),
    (b'1,u,IE,,"a"b', "malformed"),
    (b'1,u,IE,,"a" ', "malformed"),
    (b'1,u,IE,, "a"', "malformed"),
    (b'1,u,IE,,"a"b"', "malformed"),
    (b'1,u,IE,,"a"b"c"', "malformed"),
    (b'1,u,I"E,,"a,b"', "malformed"),
    (b'1,u"",IE,,', "malformed"),
    (b"1,u,IE,\r,", "malformed"),
    (b"1,u,IE,,x\r\r", "malformed"),
    (b"1,u,IE,,\xff", "encoding"),
    (b"1,\xed\xa0\x80,IE,,", "encoding"),
    (b"one,u,IE,,", "wrong-type"),
    (b"1.0,u,IE,,", "wrong-type"),
    (b" 1,u,IE,,", "wrong-type"),
    (b"+1,u,IE,,", "wrong-type"),
    (b"0x10,u,IE,,", "wrong-type"),
    (b"9223372036854775808,u,IE,,", "wrong-type"),
    (b"1,u,IE,yesterday,", "wrong-type"),
    (b"1,u,IE,2024-02-30T00:00:00Z,", "wrong-type"),
]


@pytest.mark.parametrize(("record", "reason"), REFUSED_RECORDS, ids=range(len(REFUSED_RECORDS)))
def test_other_records_are_refused_and_their_neighbours_are_not(record: bytes, reason: str) -> None:
    assert one(record) == reason


def test_many_bad_records_among_good_ones_are_told_apart() -> None:
    records = [GOOD] * 3_000
    for number, (record, _) in enumerate(REFUSED_RECORDS):
        records[number * 100] = record + b"\n"
    batches = read(CODEC, OF, HEADER + b"".join(records))
    assert lines(batches) == [record for record in records if record == GOOD]
    assert [reason for _, reason in refused(batches)] == [reason for _, reason in REFUSED_RECORDS]


def test_a_quote_that_closes_too_late_spoils_no_more_than_what_it_swallowed() -> None:
    body = HEADER + GOOD + b'1,"u,IE,,x\n' + GOOD + b'2,"v",IE,,x\n' + GOOD
    batches = read(CODEC, OF, body)
    assert lines(batches) == [GOOD, GOOD]
    assert refused(batches) == [(len(HEADER + GOOD), "malformed")]


def test_a_quote_that_is_never_closed_spoils_the_object() -> None:
    body = HEADER + GOOD + b'1,"u,IE,,x\n' + GOOD * 10
    with pytest.raises(BadObject) as caught:
        read(CODEC, OF, body)
    assert caught.value.facts == {"object": "users/a", "opened_at_byte": len(HEADER + GOOD) + 2}


def test_a_never_closed_quote_is_found_beyond_the_limit_of_a_record_too() -> None:
    codec = Csv(Limits(record_bytes=100, batch_bytes=50))
    body = HEADER + GOOD + b'1,"u,IE,,""x""\n' + GOOD * 100
    with pytest.raises(BadObject, match="never closed"):
        read(codec, OF, body)


def test_a_record_over_the_limit_is_refused_by_its_start_alone() -> None:
    long = b'1,u,IE,,"' + b"y\n" * 200 + b'"\n'
    codec = Csv(Limits(record_bytes=len(long) - 1))
    batches = read(codec, OF, HEADER + GOOD + long + GOOD)
    assert lines(batches) == [GOOD, GOOD]
    assert refused(batches) == [(len(HEADER + GOOD), "too-large")]


def test_a_giant_record_is_not_held() -> None:
    parts = [HEADER + b'1,u,IE,,"', *[b"y\n" * 500_000] * 30, b'"\n' + GOOD]
    text = Text(b"".join(parts))
    batches = read(Csv(Limits(record_bytes=2_000_000)), OF, text)
    assert lines(batches) == [GOOD]
    assert refused(batches) == [(len(HEADER), "too-large")]
    ends = QuotedEnds(ord(","), 0, "users/a")
    assert max(len(one.lines.data) for one in segments(parts, 0, ends, 2_000_000)) < 3_000_000


def test_a_byte_order_mark_belongs_to_the_preamble() -> None:
    body = b'\xef\xbb\xbf"n",user,country,at\r\n1,u,IE,\r\n'
    (batch,) = read(CODEC, OF, body)
    assert batch.preamble == b'\xef\xbb\xbf"n",user,country,at\r\n'
    assert column([batch], "n") == [1]
    assert positions([batch]) == [len(batch.preamble)]
    parcel = CODEC.encode(OF, batch.rows, batch.preamble, "a")
    assert parcel.to_pybytes() == body
    assert CODEC.decode(OF, parcel, "a").column(LINE).to_pylist() == [b"1,u,IE,\r\n"]


def test_blank_lines_are_no_records() -> None:
    body = b"\n \r\n" + HEADER + b"\n" + GOOD + b" \t\r\n" + GOOD + b"\r"
    (batch,) = read(CODEC, OF, body)
    assert batch.preamble == HEADER
    assert lines([batch]) == [GOOD, GOOD]
    assert refused([batch]) == []


def test_tabs_make_fields_where_they_are_the_delimiter() -> None:
    of = dataset(Format.CSV, shape=CsvShape(delimiter="\t"))
    body = b"n\tuser\tcountry\tat\n\t\t\t\n1\tu,1\tIE\t\n  \n"
    (batch,) = read(CODEC, of, body)
    assert lines([batch]) == [b"\t\t\t\n", b"1\tu,1\tIE\t\n"]
    assert column([batch], "user") == ["", "u,1"]


def test_columns_are_declared_where_there_is_no_header() -> None:
    of = dataset(Format.CSV, shape=CsvShape(header=False, columns=("at", "user", "n", "country")))
    body = b',u,5,IE\n"2024-01-01T00:00:00Z",v,6,DE\n'
    (batch,) = read(CODEC, of, body)
    assert batch.preamble == b""
    assert column([batch], "n") == [5, 6]
    assert CODEC.decode(of, CODEC.encode(of, batch.rows, b"", "a"), "a").num_rows == 2


def test_a_header_may_have_quotes_and_line_ends() -> None:
    of = dataset(Format.CSV)
    header = b'"n","us""er\n","user",country,at\r\n'
    (batch,) = read(CODEC, of, header + b"1,x,u,IE,\r\n")
    assert batch.preamble == header
    assert column([batch], "user") == ["u"]


@pytest.mark.parametrize("body", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_object_without_even_a_header_has_one_empty_batch(body: bytes) -> None:
    (batch,) = read(CODEC, OF, body)
    assert batch.last
    assert batch.read == 0
    assert batch.rows.schema.names == [LINE, "n", "user", "at", "country"]


def test_a_byte_order_mark_alone_precedes_records_without_a_header() -> None:
    of = dataset(Format.CSV, shape=CsvShape(header=False, columns=("n", "user", "country", "at")))
    body = b'\xef\xbb\xbf"1",u,IE,\n2,v,IE,\n'
    (batch,) = read(CODEC, of, body)
    assert column([batch], "n") == [1, 2]
    parcel = CODEC.encode(of, batch.rows, batch.preamble, "a")
    assert parcel.to_pybytes() == body
    assert CODEC.decode(of, parcel, "a").column(LINE).to_pylist() == lines([batch])


@pytest.mark.parametrize("header", [HEADER, HEADER[:-1]])
def test_a_header_alone_has_one_empty_batch(header: bytes) -> None:
    (batch,) = read(CODEC, OF, header)
    assert batch.last
    assert batch.read == 0
    parcel = CODEC.encode(OF, batch.rows, batch.preamble, "a")
    assert parcel.to_pybytes() == header
    assert CODEC.decode(OF, parcel, "a").num_rows == 0


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"n,user,at\n", "lacks a column"),
        (b"n,user,country,at,n\n", "one name"),
        (b'n,user,country,at,"x" \n', "malformed"),
        (b"n,user,country,at,\xff\n", "malformed"),
        (b"n,user,country,at,a,b,c\n", "more columns"),
        (b"n,user,country,at," + b"x" * 300 + b"\n", "longer than"),
        (b'n,user,country,at,"x\n', "never closed"),
    ],
)
def test_an_object_with_a_bad_header_is_refused(header: bytes, why: str) -> None:
    with pytest.raises(BadObject, match=why) as caught:
        read(Csv(Limits(columns=6, record_bytes=200)), OF, header + GOOD)
    assert "users/a" in str(caught.value)


@pytest.mark.parametrize("delimiter", ["", ",,", "é", '"', "\n", "\r"])
def test_an_unusable_delimiter_is_refused(delimiter: str) -> None:
    with pytest.raises(ConfigRefused):
        read(CODEC, dataset(Format.CSV, shape=CsvShape(delimiter=delimiter)), HEADER)


def test_an_object_is_one_slice() -> None:
    assert Csv(Limits(slice_bytes=1)).cut(OF, Text(HEADER), "a") == (Whole(),)


@pytest.mark.parametrize("relative", ["a", "a.gz"])
def test_a_restart_yields_the_rest_and_the_same(relative: str) -> None:
    records = b"".join(b'%d,"u\n%d",IE,,"a,""b"""\n' % (n, n * n) for n in range(60))
    body = HEADER + records
    stored = gzip.compress(body) if relative.endswith("gz") else body
    codec = Csv(Limits(batch_bytes=77))
    whole = read(codec, OF, stored, relative)
    assert b"".join(lines(whole)) == records
    assert [batch.ordinal for batch in whole] == list(range(-(-len(body) // 77)))
    for after in range(len(whole) + 1):
        rest = read(codec, OF, stored, relative, after=after)
        assert [batch.ordinal for batch in rest] == list(range(after + 1, len(whole)))
        assert [batch.last for batch in rest] == [batch.last for batch in whole[after + 1 :]]
        assert lines(rest) == lines(whole[after + 1 :])
        assert positions(rest) == positions(whole[after + 1 :])
        assert all(batch.preamble == HEADER for batch in rest)


def test_a_mistaken_quote_at_the_edge_of_a_piece_stands_for_itself() -> None:
    text = b'a,b"\n"c",d\n"e""\n",f"\n"g"h"\n"i","j"\n'
    whole = QuotedEnds(ord(","), 0, "users/a").ends(text).tolist()
    for size in range(1, len(text)):
        ends = QuotedEnds(ord(","), 0, "users/a")
        found = []
        for start in range(0, len(text), size):
            found += [int(end) + start for end in ends.ends(text[start : start + size])]
        ends.finish()
        assert found == whole
    assert whole == [5, 11, 21, 27, 35]


def test_a_doubled_quote_at_the_edge_of_a_piece_does_not_open_a_field_anew() -> None:
    text = b'a,"b""c\nd'
    for size in range(1, len(text) + 1):
        ends = QuotedEnds(ord(","), 100, "users/a")
        for start in range(0, len(text), size):
            assert len(ends.ends(text[start : start + size])) == 0
        with pytest.raises(BadObject) as caught:
            ends.finish()
        assert caught.value.facts["opened_at_byte"] == 102


def test_without_quotes_records_end_as_lines_do() -> None:
    text = b"a,b\n\nc\r\nd"
    assert QuotedEnds(ord(","), 0, "a").ends(text).tolist() == LineEnds().ends(text).tolist()


def test_long_integers_among_short_ones_keep_their_values() -> None:
    of = dataset(Format.CSV, version=ColumnType.INT64)
    numbers = [0, 2**63 - 1, -(2**63), 10**18, 1]
    body = HEADER + b"".join(b"%d,u,IE,%d,\n" % (n, n) for n in [*numbers, 2**63, -(2**80)])
    batches = read(CODEC, of, body)
    assert column(batches, "n") == column(batches, "at") == numbers
    assert [reason for _, reason in refused(batches)] == ["wrong-type"] * 2


@pytest.mark.parametrize("name", ["a", "a.gz", "a.zst"])
def test_a_parcel_comes_back_as_it_was_put(name: str) -> None:
    body = HEADER + b'1,u,IE,,"two\nlines"\r\n' + b"bad\n\n" + GOOD[:-1]
    (batch,) = read(CODEC, OF, body)
    parcel = CODEC.encode(OF, batch.rows, batch.preamble, name)
    assert CODEC.decode(OF, parcel, name).column(LINE).to_pylist() == lines([batch])
    assert len(lines([batch])) == 2


def test_a_truncated_parcel_is_a_mismatch() -> None:
    with pytest.raises(ReadBackMismatch):
        CODEC.decode(OF, pa.py_buffer(HEADER + b'1,"u\n'), "a")


def test_fields_agree_with_the_csv_module_of_python() -> None:
    rows = [["n", "user", "country", "at"]]
    odd = ["", '"', ",", "\n", "\r\n", '""', 'a"b', " x ", "\r", "ü", "'", ";"]
    rows += [[str(n), a + b, b, ""] for n, (a, b) in enumerate((a, b) for a in odd for b in odd)]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    batches = read(CODEC, OF, out.getvalue().encode())
    assert refused(batches) == []
    assert column(batches, "user") == [row[1] for row in rows[1:]]
    assert column(batches, "country") == [row[2] for row in rows[1:]]


def test_an_object_of_one_column_is_refused_by_name_and_not_a_crash() -> None:
    with pytest.raises(BadObject, match=r"lacks a column.*users/a"):
        read(CODEC, OF, b"user\nu1\nu2\n")
    of = replace(
        OF, identity=(Column("user"),), residency=ByCountry("user"), version=None,
        csv=CsvShape(),
    )  # fmt: skip
    batches = read(CODEC, of, b"user\nu1\nu2\n")
    assert column(batches, "user") == ["u1", "u2"]
