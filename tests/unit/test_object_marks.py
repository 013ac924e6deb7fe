"""What stands beside a parcel's bytes."""

from __future__ import annotations

import pytest

from connectors.object_marks import METADATA_BYTES_MAX, about, beside, is_attempt, marks_of
from repatria.dataset import ByCountry, Column, Dataset, Format
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.ports.records import Parcel
from repatria.slice import Slice
from repatria.stored import Found, ObjectVersion
from tests.unit.parquet_samples import people

SOURCE = ObjectVersion("people/a", 1, "etag", "v+1/é")
PARCEL = Parcel(
    dataset=Dataset(
        name=DatasetName("people"),
        prefix="people/",
        format=Format.PARQUET,
        identity=(Column("user"),),
        user=Column("user"),
        residency=ByCountry("country"),
    ),
    region=RegionName("IE"),
    site=SiteName("dublin-1"),
    piece=Slice(
        id=SliceId("5" * 32),
        dataset=DatasetName("people"),
        site=SiteName("us"),
        object=SOURCE,
        relative="a",
        label="a at us",
    ),
    ordinal=3,
    rows=people(4),
)
MARKS = marks_of(PARCEL, "ledger", "f" * 64)


def like(**told: object) -> Parcel:
    found = Found(object=SOURCE, **told)  # type: ignore[arg-type]
    return Parcel(
        dataset=PARCEL.dataset,
        region=PARCEL.region,
        site=PARCEL.site,
        piece=PARCEL.piece,
        ordinal=3,
        rows=PARCEL.rows,
        like=found,
    )


def test_marks_name_the_batch_in_characters_that_any_store_keeps() -> None:
    assert MARKS == {
        "repatria-sha256": "f" * 64,
        "repatria-ledger": "ledger",
        "repatria-slice": "5" * 32,
        "repatria-ordinal": "3",
        "repatria-version": "v%2B1%2F%C3%A9",
        "repatria-rows": "4",
    }
    assert all((name + text).isascii() for name, text in MARKS.items())


@pytest.mark.parametrize("theirs", [0, 1_000, 1_800, 1_900, 1_970, 2_040, 3_000])
def test_what_came_is_kept_whole_and_marks_make_do_with_the_rest(theirs: int) -> None:
    kept = beside({"note": "n" * theirs}, MARKS)
    assert kept["note"] == "n" * theirs
    ours = [name for name in kept if name != "note"]
    assert ours == list(MARKS)[: len(ours)]
    size = sum(len(name) + len(text) for name, text in kept.items())
    assert size <= METADATA_BYTES_MAX or not ours
    assert len(ours) == 6 or size + 16 + 64 > METADATA_BYTES_MAX - 100


def test_bytes_count_and_not_characters() -> None:
    assert set(beside({"note": "é" * 1_020}, MARKS)) == {"note"}


def test_marks_of_an_earlier_move_do_not_stay() -> None:
    kept = beside({"Repatria-Ledger": "old", "repatria-rows": "9", "x": "y"}, {})
    assert kept == {"x": "y"}


def test_an_attempt_is_known_by_ledger_slice_and_ordinal() -> None:
    assert is_attempt(Found(object=SOURCE, metadata=MARKS), PARCEL, "ledger")
    for name in ("repatria-ledger", "repatria-slice", "repatria-ordinal"):
        for other in ({**MARKS, name: "other"}, {k: v for k, v in MARKS.items() if k != name}):
            assert not is_attempt(Found(object=SOURCE, metadata=other), PARCEL, "ledger")


def test_headers_that_describe_the_bytes_are_kept_and_no_others() -> None:
    came = {
        "content-type": "text/csv",
        "Content-Encoding": "aws-chunked, gzip",
        "Expires": "Thu, 01 Dec 2033 16:00:00 GMT",
        "x-amz-website-redirect-location": "https://us.example.org/",
    }
    assert about(like(headers=came), "ledger", "f" * 64).headers == {
        "content-type": "text/csv",
        "Content-Encoding": "gzip",
        "Expires": "Thu, 01 Dec 2033 16:00:00 GMT",
    }
    chunked = {"Content-Encoding": "aws-chunked"}
    assert about(like(headers=chunked), "ledger", "f" * 64).headers == {}


@pytest.mark.parametrize(
    ("came", "arrives"),
    [
        ("STANDARD_IA", "STANDARD_IA"),
        ("GLACIER_IR", "GLACIER_IR"),
        ("GLACIER", "STANDARD"),
        ("DEEP_ARCHIVE", "STANDARD"),
        ("SOMETHING_NEW", "STANDARD"),
    ],
)
def test_a_class_that_can_be_read_at_once_is_kept(came: str, arrives: str) -> None:
    assert about(like(storage_class=came), "ledger", "f" * 64).storage_class == arrives


def test_without_a_source_there_are_our_marks_alone() -> None:
    plain = about(PARCEL, "ledger", "f" * 64)
    assert plain.metadata == MARKS
    assert (plain.headers, plain.tags, plain.storage_class) == ({}, {}, "STANDARD")
