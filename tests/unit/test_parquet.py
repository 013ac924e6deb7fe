"""Decoding and encoding Parquet: batches, limits, fidelity, and how few reads it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.formats.codec import Access
from connectors.formats.parquet import Parquet
from connectors.formats.parquet_cut import Run
from connectors.formats.parquet_int96 import settle
from connectors.formats.parquet_open import open_footer, refusing
from connectors.formats.parquet_write import ranged, write
from connectors.formats.ranged import Ranged
from repatria.batch import Batch
from repatria.dataset import Column, KeyClass
from repatria.errors import BadObject, ReadBackMismatch, StaleSlice
from repatria.slice import Cut, RowGroups, Whole
from tests.unit.parquet_samples import (
    PROFILES,
    Held,
    budget,
    every_type,
    parquet,
    people,
    piece_of,
    same,
)


def read(
    body: bytes, cut: Cut | None = None, after: int | None = None, **limits: int
) -> list[Batch]:
    held = Held(body)
    return list(Parquet(budget(**limits)).batches(PROFILES, piece_of(held, cut), held, after))


def joined(batches: list[Batch]) -> pa.Table:
    return pa.concat_tables([batch.rows for batch in batches])


def round_trip(rows: pa.Table) -> pa.Table:
    codec = Parquet(budget())
    return codec.decode(PROFILES, codec.encode(PROFILES, rows, b"", "a.parquet"), "a.parquet")


def test_every_record_comes_once_in_order_and_stands_where_it_says() -> None:
    rows = people(10_000)
    batches = read(parquet(rows, row_group_size=1_000), batch_bytes=50_000)
    assert len(batches) > 3
    assert same(joined(batches), rows)
    places = np.concatenate([batch.positions for batch in batches])
    assert (places == np.arange(10_000, dtype=np.uint64)).all()
    assert [batch.ordinal for batch in batches] == list(range(len(batches)))
    assert [batch.last for batch in batches] == [False] * (len(batches) - 1) + [True]


def test_a_row_group_over_the_budget_comes_in_pieces() -> None:
    rows = people(30_000)
    batches = read(parquet(rows), batch_bytes=100_000)
    assert {batch.rows.num_rows for batch in batches[:-1]} == {30_000 * 100_000 // (30_000 * 24)}
    assert same(joined(batches), rows)


@pytest.mark.parametrize("after", [0, 3, 7])
def test_reading_past_a_batch_gives_the_same_batches(after: int) -> None:
    body = parquet(people(30_000), row_group_size=10_000)
    whole = read(body, batch_bytes=90_000)
    rest = read(body, after=after, batch_bytes=90_000)
    assert [batch.ordinal for batch in rest] == list(range(after + 1, len(whole)))
    for one, other in zip(rest, whole[after + 1 :], strict=True):
        assert same(one.rows, other.rows)
        assert (one.positions == other.positions).all()
        assert one.last == other.last


def test_nothing_is_left_past_the_last_batch() -> None:
    body = parquet(people(100))
    assert read(body, after=0) == []


def test_the_slices_of_an_object_hold_its_rows_once() -> None:
    rows = people(20_000)
    body = parquet(rows, row_group_size=2_000)
    cuts = Parquet(budget(slice_bytes=len(body) // 3)).cut(PROFILES, Held(body), "a.parquet")
    assert len(cuts) > 1
    batches = [batch for cut in cuts for batch in read(body, cut)]
    assert same(joined(batches), rows)
    assert (np.concatenate([b.positions for b in batches]) == np.arange(20_000)).all()


def test_a_small_object_is_one_slice_and_cutting_it_reads_nothing() -> None:
    held = Held(parquet(people(10)))
    assert Parquet(budget()).cut(PROFILES, held, "a.parquet") == (Whole(),)
    assert held.reads == []


def test_a_cut_past_the_end_is_refused() -> None:
    with pytest.raises(BadObject, match="row groups that are not there"):
        read(parquet(people(10)), RowGroups(0, 2))


def test_a_small_object_is_read_at_once() -> None:
    held = Held(parquet(people(1_000)))
    list(Parquet(budget()).batches(PROFILES, piece_of(held), held, None))
    assert held.reads == [(0, held.size)]


def test_a_run_of_row_groups_is_read_at_once() -> None:
    rows = people(60_000, noise=pa.array(np.random.default_rng(1).random(60_000)))
    held = Held(parquet(rows, row_group_size=15_000))
    batches = list(Parquet(budget()).batches(PROFILES, piece_of(held), held, None))
    assert len(held.reads) == 1 + len(batches)


def test_a_row_group_that_is_too_large_to_be_held_is_read_piece_by_piece() -> None:
    noise = pa.array(np.random.default_rng(1).random(800_000))
    held = Held(parquet(people(800_000, noise=noise)))
    codec = Parquet(budget(batch_bytes=2 << 20))
    batches = list(codec.batches(PROFILES, piece_of(held), held, None))
    assert sum(batch.read for batch in batches) == 800_000
    assert held.size > 6 << 20
    assert max(stop - start for start, stop in held.reads) <= 2 << 20


def test_what_a_restart_skips_is_not_fetched() -> None:
    rows = people(60_000, noise=pa.array(np.random.default_rng(1).random(60_000)))
    held = Held(parquet(rows, row_group_size=15_000))
    codec = Parquet(budget(batch_bytes=1 << 19))
    last = list(codec.batches(PROFILES, piece_of(held), held, None))[-1].ordinal
    held.reads.clear()
    list(codec.batches(PROFILES, piece_of(held), held, last - 1))
    assert sum(stop - start for start, stop in held.reads) < held.size // 2


def test_a_footer_larger_than_the_first_read_is_fetched_whole() -> None:
    more: dict[str, Any] = {f"c{at}": pa.array(np.arange(2_000)) for at in range(60)}
    wide = people(2_000, **more)
    held = Held(parquet(wide, row_group_size=50))
    batches = list(Parquet(budget()).batches(PROFILES, piece_of(held), held, None))
    assert same(joined(batches), wide)


def test_a_row_group_too_large_for_a_window_is_read_as_it_is_asked_for() -> None:
    rows = people(40_000, noise=pa.array(np.random.default_rng(1).random(40_000)))
    assert same(joined(read(parquet(rows, compression="none"), batch_bytes=200_000)), rows)


def test_no_rows_are_one_empty_batch_with_the_schema() -> None:
    for options in ({}, {"row_group_size": 5}):
        (batch,) = read(parquet(every_type(0), **options))
        assert batch.last
        assert batch.ordinal == 0
        assert batch.rows.num_rows == 0
        assert batch.rows.schema.equals(every_type(0).schema)


@pytest.mark.parametrize("rows", [0, 3])
def test_every_type_arrives_as_it_was(rows: int) -> None:
    table = every_type(rows)
    body = parquet(table, use_compliant_nested_type=False)
    (batch,) = read(body)
    assert batch.rows.schema.equals(table.schema)
    assert same(batch.rows, pq.ParquetFile(pa.BufferReader(body)).read())
    assert same(round_trip(batch.rows), batch.rows)


def test_a_filtered_dictionary_arrives_with_its_values() -> None:
    rows = people(1_000, locale=pa.array(["de", "ga", None, "nb"] * 250).dictionary_encode())
    (batch,) = read(parquet(rows, row_group_size=100))
    some = batch.rows.filter(pa.array(np.arange(1_000) % 7 == 0))
    assert same(round_trip(some), some)


def test_an_extension_that_nobody_knows_arrives_as_it_was() -> None:
    told = {"ARROW:extension:name": "acme.secret", "ARROW:extension:metadata": "v1"}
    field = pa.field("x", pa.binary(), metadata=told)
    rows = people(2).append_column(field, pa.array([b"a", None]))
    (batch,) = read(parquet(rows))
    assert same(round_trip(batch.rows), batch.rows)
    assert batch.rows.schema.field("x").metadata == field.metadata


@pytest.mark.parametrize("rows", [0, 2])
def test_an_extension_inside_a_list_arrives_as_it_was(rows: int) -> None:
    field = pa.field("x", pa.list_(pa.field("element", pa.uuid())))
    storage = pa.array([[b"u" * 16], None], pa.list_(pa.field("element", pa.binary(16))))
    table = people(2).append_column(field, storage.cast(field.type)).slice(0, rows)
    (batch,) = read(parquet(table))
    assert same(batch.rows, table)
    assert same(round_trip(batch.rows), table)


def test_equal_rows_give_equal_bytes_however_they_are_chunked() -> None:
    rows = people(5_000, locale=pa.array(["de", "ga"] * 2_500).dictionary_encode())
    codec = Parquet(budget())
    chunked = pa.concat_tables([rows.slice(0, 7), rows.slice(7, 3_000), rows.slice(3_007)])
    one, other = (codec.encode(PROFILES, table, b"", "a") for table in (rows, chunked))
    assert one.equals(other)


def test_a_parcel_has_page_checksums_and_its_decoder_looks_at_them() -> None:
    noise = people(10_000, noise=pa.array(np.random.default_rng(1).random(10_000)))
    codec = Parquet(budget())
    body = bytearray(codec.encode(PROFILES, noise, b"", "a"))
    body[len(body) * 3 // 4] ^= 1
    with pytest.raises(ReadBackMismatch, match="checksum"):
        codec.decode(PROFILES, pa.py_buffer(bytes(body)), "a")


@pytest.mark.parametrize(("rows", "why"), [(9, "more rows"), (11, "fewer rows")])
def test_a_footer_that_counts_other_rows_is_refused(rows: int, why: str) -> None:
    opened = open_footer(Held(parquet(people(10))), "an object", budget())
    run = Run(first=0, stop=1, ordinal=0, row=0, rows=(rows,))
    with pytest.raises(BadObject, match=why):
        list(Parquet(budget())._tables(opened, run))


def test_what_the_store_raised_wins_over_what_the_decoder_made_of_it() -> None:
    source = Ranged(Broken(b"x", 0))
    with pytest.raises(StaleSlice):
        source.between(0, 1)
    with pytest.raises(StaleSlice), refusing("an object", source):
        raise OSError("something ended")


def settled(ns: int, us: int) -> pa.Table:
    fine = pa.table({"at": pa.array([ns % (1 << 64)], pa.uint64()).view(pa.timestamp("ns"))})
    return settle(fine, pa.table({"at": pa.array([us], pa.timestamp("us"))}), "an object")


def test_an_old_timestamp_that_needs_more_than_64_bits_is_refused() -> None:
    late = 253_402_214_400_000_000
    assert settled(late * 1000, late)["at"].cast(pa.int64()).to_pylist() == [late]
    assert settled(1_001, 1)["at"].cast(pa.int64()).to_pylist() == [1_001]
    assert settled(-1, -1)["at"].cast(pa.int64()).to_pylist() == [-1]
    with pytest.raises(BadObject, match="neither nanoseconds nor microseconds"):
        settled(late * 1000 + 1, late)


@pytest.mark.parametrize("body", [b"", b"PAR1", b"{}" * 100, b"PAR1" + bytes(50) + b"PARE"])
def test_what_is_not_parquet_is_refused(body: bytes) -> None:
    with pytest.raises(BadObject) as refusal:
        read(body)
    assert "a.parquet at us" in str(refusal.value)


@pytest.mark.parametrize("keep", [0.2, 0.9, 0.999])
def test_a_truncated_object_is_refused(keep: float) -> None:
    body = parquet(people(1_000))
    with pytest.raises(BadObject):
        read(body[: int(len(body) * keep)])


def test_a_footer_that_claims_to_be_huge_is_refused() -> None:
    body = parquet(people(10))
    for claimed, why in ((len(body) + 1, "shorter"), (1 << 31, "too large")):
        forged = body[:-8] + claimed.to_bytes(4, "little") + b"PAR1"
        with pytest.raises(BadObject, match=why):
            read(forged)


def test_a_flipped_bit_in_a_page_with_a_checksum_is_refused() -> None:
    body = bytearray(parquet(people(1_000), write_page_checksum=True, compression="none"))
    body[len(body) // 4] ^= 4
    with pytest.raises(BadObject, match="checksum"):
        read(bytes(body))


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"columns": 2}, "too many columns"),
        ({"row_groups": 3}, "too many row groups"),
        ({"rows_per_object": 39}, "too many rows"),
    ],
)
def test_limits_stand_in_front_of_the_decoder(limits: dict[str, Any], why: str) -> None:
    with pytest.raises(BadObject, match=why):
        read(parquet(people(40), row_group_size=10), **limits)


def test_nesting_past_the_limit_is_refused() -> None:
    deep: Any = pa.int32()
    for _ in range(12):
        deep = pa.list_(deep)
    body = parquet(people(1).append_column("deep", pa.nulls(1, deep)))
    assert len(read(body, nesting=13)) == 1
    with pytest.raises(BadObject, match="nested too deep"):
        read(body, nesting=12)


def test_an_object_that_decodes_to_far_more_than_it_says_is_refused() -> None:
    bomb = people(100_000, big=pa.array(["x" * 1_000] * 100_000))
    body = parquet(bomb)
    assert len(body) < 1 << 20
    with pytest.raises(BadObject, match=r"batch_bytes_hard|decoded_ratio"):
        read(body, batch_bytes_hard=8 << 20, batch_bytes=8 << 20)


def test_one_row_that_cannot_fit_is_refused_before_it_is_decoded() -> None:
    body = parquet(people(1, big=pa.array(["x" * 100_000])), use_dictionary=False)
    with pytest.raises(BadObject, match="would decode"):
        read(body, batch_bytes=1_000, batch_bytes_hard=50_000)


def test_a_deciding_column_must_be_there_once() -> None:
    for names in (["user", "land"], ["user", "country", "country"]):
        body = parquet(pa.table([pa.array(["a"])] * len(names), names=names))
        with pytest.raises(BadObject, match="column=country"):
            read(body)


def test_a_deciding_column_inside_a_struct_does_not_count() -> None:
    body = parquet(pa.table({"user": ["a"], "at": [{"country": "IE"}]}))
    with pytest.raises(BadObject, match="column=country"):
        read(body)


def test_a_schema_that_would_not_arrive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def writes_otherwise(rows: pa.Table) -> pa.Buffer:
        return pa.py_buffer(parquet(rows, use_compliant_nested_type=True))

    body = parquet(people(1).append_column("l", pa.array([[1]])), use_compliant_nested_type=False)
    assert len(read(body)) == 1
    monkeypatch.setattr("connectors.formats.parquet_open.write", writes_otherwise)
    with pytest.raises(BadObject, match="would not arrive"):
        read(body)


class Broken(Held):
    """An object whose store fails at the n-th read."""

    def __init__(self, body: bytes, fails_at: int) -> None:
        super().__init__(body)
        self._fails_at = fails_at

    def read(self, start: int, stop: int) -> pa.Buffer:
        if len(self.reads) == self._fails_at:
            raise StaleSlice("the object is not that version", site="us")
        return super().read(start, stop)


@pytest.mark.parametrize("fails_at", range(4))
def test_what_the_store_raises_comes_through_the_decoder(fails_at: int) -> None:
    rows = people(40_000, noise=pa.array(np.random.default_rng(1).random(40_000)))
    held: Access = Broken(parquet(rows, compression="none"), fails_at)
    with pytest.raises(StaleSlice):
        list(
            Parquet(budget(batch_bytes=200_000)).batches(PROFILES, piece_of(Held(b"")), held, None)
        )


def test_no_record_is_in_a_message() -> None:
    body = bytearray(parquet(people(1_000), compression="none", write_page_checksum=True))
    body[100:140] = b"CANARY" * 6 + b"CANA"
    with pytest.raises(BadObject) as refusal:
        read(bytes(body))
    assert "CANARY" not in str(refusal.value)


def test_a_personal_key_is_in_no_message() -> None:
    secret = replace(PROFILES, keys=KeyClass.PERSONAL)
    with pytest.raises(BadObject) as refusal:
        Parquet(budget(slice_bytes=10)).cut(secret, Held(b"{}" * 100), "ada@example.org.parquet")
    assert "ada" not in str(refusal.value)


def old_timestamps(values: list[Any], unit: str) -> bytes:
    rows = people(len(values), at=pa.array(values, pa.timestamp(unit)))  # type: ignore[call-overload]
    nested = rows.append_column("in", pa.array([[{"at": v}] for v in values], _nested(unit)))
    return parquet(nested, use_deprecated_int96_timestamps=True, store_schema=False)


def inner(rows: pa.Table) -> pa.Array[Any]:
    lists: Any = rows["in"].combine_chunks()
    structs: pa.StructArray = lists.flatten()
    return structs.field("at")


def _nested(unit: str) -> pa.DataType:
    return pa.list_(pa.struct([pa.field("at", pa.timestamp(unit))]))  # type: ignore[call-overload]


def test_old_timestamps_keep_their_nanoseconds() -> None:
    (batch,) = read(old_timestamps([1_700_000_000_123_456_789, None], "ns"))
    assert batch.rows.schema.field("at").type == pa.timestamp("ns")
    assert batch.rows["at"].cast(pa.int64()).to_pylist() == [1_700_000_000_123_456_789, None]
    assert same(round_trip(batch.rows), batch.rows)


def test_an_old_timestamp_of_the_year_9999_does_not_wrap_around() -> None:
    late = 253_402_214_400_000_000
    (batch,) = read(old_timestamps([late, 0, None], "us"))
    for column in (batch.rows["at"], inner(batch.rows)):
        assert column.type == pa.timestamp("us")
        assert column.cast(pa.int64()).to_pylist() == [late, 0, None]


def test_the_other_columns_of_old_timestamps_are_left_alone() -> None:
    (batch,) = read(old_timestamps([253_402_214_400_000_000], "us"))
    assert batch.rows.schema.names == ["user", "country", "born", "at", "in"]
    assert batch.rows["user"].to_pylist() == ["0"]


def test_the_deciding_columns_are_those_of_the_dataset() -> None:
    held = Held(parquet(people(3)))
    other = replace(PROFILES, version=Column("changed_at"))
    with pytest.raises(BadObject, match="column=changed_at"):
        list(Parquet(budget()).batches(other, piece_of(held), held, None))


def test_columns_whose_values_repeat_get_a_dictionary() -> None:
    body = Parquet(budget()).encode(PROFILES, people(10_000), b"", "a")
    group = pq.ParquetFile(pa.BufferReader(body)).metadata.row_group(0)
    assert [group.column(at).has_dictionary_page for at in range(3)] == [False, True, True]
    assert group.column(0).compression == "ZSTD"


def test_least_and_greatest_values_are_told_of_what_is_searched_by_them() -> None:
    rows = pa.table(
        {
            "user": [f"u{number}" for number in range(100)],
            "country": ["IE"] * 100,
            "seen": pa.array(range(100), pa.timestamp("us")),
            "tags": [["a"]] * 100,
        }
    )
    assert ranged(rows.schema, ["country"]) == ["country", "seen"]
    group = pq.ParquetFile(pa.BufferReader(write(rows))).metadata.row_group(0)
    held = [group.column(at).is_stats_set for at in range(group.num_columns)]
    assert held == [False, True, True, False]
