"""What every ``Target`` must do. A connector inherits this and gives a bucket to look into."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from connectors.object_target import ObjectTarget
from repatria.batch import LINE
from repatria.dataset import Dataset, Format, KeyClass
from repatria.errors import ForeignObject, LeftOver, ParcelGone, ReadBackMismatch
from repatria.layout import Layout
from repatria.names import RegionName, SiteName, SliceId
from repatria.ports.bucket import ABSENT, Bucket
from repatria.ports.records import Parcel, Target
from repatria.slice import Slice
from repatria.stored import Found, ObjectVersion
from tests.contract.bucket_contract import ODD_KEYS
from tests.contract.record_samples import (
    CSV_HEADER,
    TEXTS,
    Planted,
    codecs,
    dataset,
    lines,
)
from tests.unit.parquet_samples import every_type, parquet, people, same

IE = RegionName("IE")
PEOPLE = dataset(Format.PARQUET)
LAYOUT = Layout(root="eu/", backup=SiteName("singapore"))
SOURCE = ObjectVersion("legacy/people/a.parquet", 10, "etag", "v/1 é")


def piece(of: Dataset, relative: str, site: str = "us-east") -> Slice:
    name = SliceId(hashlib.sha256(f"{site} {relative}".encode()).hexdigest()[:32])
    return Slice(
        id=name,
        dataset=of.name,
        site=SiteName(site),
        object=SOURCE,
        relative=relative,
        label=relative if of.keys is KeyClass.PLAIN else f"id {name}",
    )


class TargetContract(ABC):
    odd_keys: ClassVar[tuple[str, ...]] = ODD_KEYS

    @pytest.fixture
    @abstractmethod
    def bucket(self) -> Bucket:
        """Return the empty bucket in which parcels arrive."""

    @pytest.fixture
    def target(self, bucket: Bucket) -> Target:
        return self.open(bucket)

    def open(self, bucket: Bucket, ledger: str = "ledger-1") -> Target:
        return ObjectTarget(bucket, LAYOUT, codecs(), ledger)

    @pytest.fixture
    def parcel(self, target: Target) -> Parcel:
        return self.parcel_of(target, PEOPLE, "a.parquet", people(10))

    def parcel_of(
        self, target: Target, of: Dataset, relative: str, rows: pa.Table, **more: Any
    ) -> Parcel:
        return Parcel(
            dataset=of,
            region=IE,
            site=target.site,
            piece=piece(of, relative),
            ordinal=0,
            rows=rows,
            **more,
        )

    def test_a_parcel_is_read_back_as_it_was_put(self, target: Target, parcel: Parcel) -> None:
        arrived = target.put(parcel, ABSENT)
        assert arrived.object.key == target.key(parcel) == "eu/people/region=IE/a.parquet"
        assert same(target.read(PEOPLE, arrived.object, arrived.sha256), parcel.rows)

    def test_every_type_arrives(self, target: Target) -> None:
        rows = pa.table(every_type()).combine_chunks()
        parcel = self.parcel_of(target, PEOPLE, "wide.parquet", rows)
        arrived = target.put(parcel, ABSENT)
        read = target.read(PEOPLE, arrived.object, arrived.sha256)
        assert read.schema.equals(rows.schema)
        assert read.drop_columns(["nan", "half"]).equals(rows.drop_columns(["nan", "half"]))

    @pytest.mark.parametrize(("format_", "name", "body", "text"), TEXTS)
    def test_lines_arrive_byte_for_byte(
        self, target: Target, format_: Format, name: str, body: bytes, text: bytes
    ) -> None:
        of = dataset(format_)
        preamble = CSV_HEADER if format_ is Format.CSV else b""
        records = [one + b"\r\n" for one in text.split(b"\r\n")[:-1]]
        rows = pa.table({LINE: pa.array(records, pa.large_binary())})
        arrived = target.put(self.parcel_of(target, of, name, rows, preamble=preamble), ABSENT)
        read = target.read(of, arrived.object, arrived.sha256)
        assert read.column_names == [LINE]
        assert lines(read) == text

    def test_an_empty_parcel_keeps_its_schema(self, target: Target) -> None:
        parcel = self.parcel_of(target, PEOPLE, "a.parquet", people(0))
        arrived = target.put(parcel, ABSENT)
        assert same(target.read(PEOPLE, arrived.object, arrived.sha256), people(0))

    def test_a_put_can_be_repeated_and_writes_nothing(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        once = target.put(parcel, ABSENT)
        stood = bucket.head(once.object.key)
        again = target.put(parcel, ABSENT)
        assert again.sha256 == once.sha256
        assert again.object == once.object
        assert bucket.head(once.object.key) == stood

    def test_a_repeated_replacement_finds_its_own_bytes(
        self, target: Target, parcel: Parcel
    ) -> None:
        first = target.put(parcel, ABSENT)
        newer = replace(parcel, rows=people(5))
        second = target.put(newer, first.object)
        assert target.put(newer, first.object) == second

    def test_another_attempt_of_ours_is_told_and_can_be_replaced(
        self, target: Target, parcel: Parcel
    ) -> None:
        first = target.put(parcel, ABSENT)
        newer = replace(parcel, rows=people(5))
        with pytest.raises(LeftOver) as left:
            target.put(newer, ABSENT)
        assert left.value.found == first.object
        arrived = target.put(newer, first.object)
        assert same(target.read(PEOPLE, arrived.object, arrived.sha256), people(5))

    def test_a_parcel_is_replaced_as_its_receipt_names_it(
        self, target: Target, parcel: Parcel
    ) -> None:
        first = target.put(parcel, ABSENT)
        second = target.put(replace(parcel, rows=people(5)), first.object)
        assert same(target.read(PEOPLE, second.object, second.sha256), people(5))

    def test_a_parcel_of_a_newer_receipt_is_not_replaced(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        first = target.put(parcel, ABSENT)
        second = target.put(replace(parcel, rows=people(5)), first.object)
        with pytest.raises(LeftOver):
            target.put(replace(parcel, rows=people(7)), first.object)
        assert bucket.head(second.object.key).object.etag == second.object.etag

    @pytest.mark.parametrize("body", [b"", b"hello"])
    def test_somebody_elses_object_is_never_overwritten(
        self, target: Target, bucket: Bucket, parcel: Parcel, body: bytes
    ) -> None:
        theirs = Planted(bucket)(target.key(parcel), body)
        with pytest.raises(ForeignObject) as refusal:
            target.put(parcel, ABSENT)
        assert "a.parquet" in str(refusal.value)
        assert str(target.site) in str(refusal.value)
        assert bucket.head(theirs.key).object.etag == theirs.etag

    def test_the_parcel_of_another_ledger_is_somebody_elses(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        other = self.open(bucket, "ledger-2")
        other.put(replace(parcel, rows=people(5)), ABSENT)
        with pytest.raises(ForeignObject):
            target.put(parcel, ABSENT)

    @pytest.mark.parametrize("change", [{"ordinal": 1}, {"piece": piece(PEOPLE, "b.parquet")}])
    def test_another_batch_of_ours_is_not_taken_for_this_one(
        self, target: Target, bucket: Bucket, parcel: Parcel, change: dict[str, Any]
    ) -> None:
        arrived = target.put(replace(parcel, **change), ABSENT)
        stood = bucket.head(arrived.object.key)
        body = bucket.read(stood.object).to_pybytes()
        Planted(bucket)(target.key(parcel), body, metadata=dict(stood.metadata))
        with pytest.raises(ForeignObject):
            target.put(replace(parcel, rows=people(3)), ABSENT)

    def test_marks_that_lie_are_not_believed(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        arrived = target.put(parcel, ABSENT)
        marks = dict(bucket.head(arrived.object.key).metadata)
        body = bytearray(bucket.read(arrived.object).to_pybytes())
        body[10] ^= 1
        marks["repatria-ledger"] = "another"
        Planted(bucket)(arrived.object.key, bytes(body), metadata=marks)
        with pytest.raises(ForeignObject):
            target.put(parcel, ABSENT)

    def test_a_parcel_that_its_receipt_names_and_that_is_gone_stops_the_line(
        self, target: Target, parcel: Parcel
    ) -> None:
        never = ObjectVersion(target.key(parcel), 1, "0" * 32)
        with pytest.raises(ForeignObject):
            target.put(parcel, never)

    def test_other_bytes_than_those_sent_are_noticed(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        arrived = target.put(parcel, ABSENT)
        with pytest.raises(ReadBackMismatch):
            target.read(PEOPLE, arrived.object, "0" * 64)
        gone = replace(arrived.object, etag="0" * 32)
        with pytest.raises(ReadBackMismatch):
            target.read(PEOPLE, gone, arrived.sha256)

    def test_what_just_arrived_is_read_back_from_the_store(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        arrived = target.put(parcel, ABSENT)
        assert same(target.read_back(PEOPLE, arrived), parcel.rows)
        other = bytearray(arrived.body.to_pybytes())
        other[10] ^= 1
        with pytest.raises(ReadBackMismatch):
            target.read_back(PEOPLE, replace(arrived, body=pa.py_buffer(bytes(other))))
        gone = replace(arrived, object=replace(arrived.object, etag="0" * 32))
        with pytest.raises(ReadBackMismatch):
            target.read_back(PEOPLE, gone)
        absent = replace(arrived.object, key=f"{arrived.object.key}.gone", version=None)
        with pytest.raises(ParcelGone):
            target.read_back(PEOPLE, replace(arrived, object=absent))

    def test_bytes_that_are_no_parcel_are_noticed(self, target: Target, bucket: Bucket) -> None:
        body = b"hello"
        stored = Planted(bucket)("eu/people/region=IE/x", body)
        with pytest.raises(ReadBackMismatch):
            target.read(PEOPLE, stored, hashlib.sha256(body).hexdigest())

    def test_odd_keys_arrive_unchanged(self, target: Target) -> None:
        keys = [key for key in self.odd_keys if len(key.encode()) < 1_000]
        for at, key in enumerate(keys):
            target.put(self.parcel_of(target, PEOPLE, key, people(1, at)), ABSENT)
        front = "eu/people/region=IE/"
        found = {one.object.key: one.object for one in target.objects(PEOPLE.name, IE)}
        assert set(found) == {front + key for key in keys}

    def test_a_key_of_1024_bytes_arrives_under_its_digest(self, target: Target) -> None:
        parcel = self.parcel_of(target, PEOPLE, "k" * 1_024, people(1))
        arrived = target.put(parcel, ABSENT)
        assert "/_repatria/long/" in arrived.object.key
        assert same(target.read(PEOPLE, arrived.object, arrived.sha256), people(1))

    def test_batches_of_one_object_and_the_backups_copy_stand_apart(
        self, target: Target, parcel: Parcel
    ) -> None:
        backup = replace(parcel, piece=piece(PEOPLE, "a.parquet", "singapore"))
        for one in (parcel, replace(parcel, ordinal=1), backup):
            target.put(one, ABSENT)
        assert len(list(target.objects(PEOPLE.name, IE))) == 3

    def test_the_manifest_is_not_among_the_objects(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        arrived = target.put(parcel, ABSENT)
        Planted(bucket)(LAYOUT.manifest(PEOPLE.name, IE), b"m")
        Planted(bucket)("eu/people/region=I/x", b"another region's")
        found = [one.object.key for one in target.objects(PEOPLE.name, IE)]
        assert found == [arrived.object.key]

    def test_what_waits_is_kept_beside_the_parcels(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        kept = target.keep(parcel, "batch-orphan", ABSENT)
        assert kept.object.key == LAYOUT.quarantine(PEOPLE.name, IE, "batch-orphan")
        assert target.keep(parcel, "batch-orphan", ABSENT) == kept
        assert same(target.read(PEOPLE, kept.object, kept.sha256), parcel.rows)

    def test_what_stood_beside_the_source_arrives(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        like = Found(
            object=SOURCE,
            headers={"Content-Type": "application/x-ours", "Cache-Control": "no-store"},
            metadata={"made-by": "app", "repatria-ledger": "an earlier move"},
            tags={"team": "growth"},
        )
        arrived = target.put(replace(parcel, like=like), ABSENT)
        seen = bucket.head(arrived.object.key)
        assert seen.metadata["made-by"] == "app"
        assert seen.metadata["repatria-ledger"] == "ledger-1"
        assert seen.metadata["repatria-slice"] == parcel.piece.id
        assert seen.metadata["repatria-version"] == "v%2F1%20%C3%A9"
        assert seen.metadata["repatria-sha256"] == arrived.sha256
        assert seen.headers["Content-Type"] == "application/x-ours"
        assert seen.headers["Cache-Control"] == "no-store"
        assert bucket.tags(arrived.object.key) == {"team": "growth"}

    def test_a_parcel_can_be_read_at_once_whatever_its_source_was(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        like = Found(object=SOURCE, storage_class="DEEP_ARCHIVE")
        arrived = target.put(replace(parcel, like=like), ABSENT)
        assert not bucket.head(arrived.object.key).archived
        assert same(target.read(PEOPLE, arrived.object, arrived.sha256), parcel.rows)

    def test_a_personal_key_is_only_where_the_parcel_stands(
        self, target: Target, bucket: Bucket
    ) -> None:
        of = dataset(Format.PARQUET, keys=KeyClass.PERSONAL)
        parcel = self.parcel_of(target, of, "ada@example.org.parquet", people(1))
        arrived = target.put(parcel, ABSENT)
        assert arrived.object.key.endswith("/ada@example.org.parquet")
        assert "ada" not in repr(bucket.head(arrived.object.key).metadata)
        assert "ada" not in repr(parcel)
        with pytest.raises(LeftOver) as refusal:
            target.put(replace(parcel, rows=people(2)), replace(arrived.object, etag="0" * 32))
        assert "ada" not in str(refusal.value) + repr(refusal.value)

    def test_a_source_object_is_not_mistaken_for_a_parcel(
        self, target: Target, bucket: Bucket, parcel: Parcel
    ) -> None:
        Planted(bucket)(target.key(parcel), parquet(people(10)))
        with pytest.raises(ForeignObject):
            target.put(parcel, ABSENT)
