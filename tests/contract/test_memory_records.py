"""Sources and targets over the bucket in memory, the reference of both ports."""

from __future__ import annotations

import pyarrow as pa
import pytest

from connectors.memory.bucket import HONEST, UNVERSIONED, MemoryBucket
from connectors.object_manifests import ObjectManifests
from connectors.object_source import ObjectSource
from connectors.wrap.rechecked import Rechecked
from repatria.dataset import Format
from repatria.errors import Archived, Occupied, ReadBackMismatch, Transient
from repatria.limits import Limits
from repatria.names import SiteName
from repatria.ports.bucket import ABSENT, Absent, Bucket
from repatria.ports.records import Parcel, Target
from repatria.stored import About, Found, ObjectVersion
from tests.contract.record_samples import Planted, codecs, dataset
from tests.contract.source_contract import Opens, OverBucket, SourceContract
from tests.contract.target_contract import IE, LAYOUT, PEOPLE, TargetContract
from tests.unit.parquet_samples import parquet, people

US, DUBLIN = SiteName("us-east"), SiteName("dublin-1")


class TestRecheckedSource(OverBucket, SourceContract):
    """Looked at again after each batch, a source is a source like any other."""

    @pytest.fixture
    def bucket(self) -> MemoryBucket:
        return MemoryBucket(US, page_keys=2)

    @pytest.fixture
    def opens(self, bucket: Bucket) -> Opens:
        return lambda limits: Rechecked(ObjectSource(bucket, self.root, codecs(limits), b"k" * 32))


class TestSourceOverMemory(OverBucket, SourceContract):
    @pytest.fixture
    def bucket(self) -> MemoryBucket:
        return MemoryBucket(US, page_keys=2)

    def test_an_archived_object_says_so(self, bucket: MemoryBucket, opens: Opens) -> None:
        bucket.plant(
            "legacy/people/a.parquet",
            parquet(people(1)),
            About(sha256="", storage_class="GLACIER"),
        )
        source = opens(Limits())
        (found,) = source.objects(PEOPLE)
        assert found.archived
        (piece,) = source.cut(PEOPLE, found)
        with pytest.raises(Archived):
            list(source.batches(PEOPLE, piece, None))


class TestSourceOverUnversionedMemory(TestSourceOverMemory):
    @pytest.fixture
    def bucket(self) -> MemoryBucket:
        return MemoryBucket(US, honours=UNVERSIONED, page_keys=2)


def test_a_look_tells_the_version_that_a_listing_does_not() -> None:
    bucket = MemoryBucket(US)
    Planted(bucket, OverBucket.root)("people/a.parquet", parquet(people(1)))
    source = ObjectSource(bucket, OverBucket.root, codecs(), b"k" * 32)
    (found,) = source.objects(PEOPLE)
    assert found.object.version is None
    seen = source.look(found.object)
    assert seen.object.version is not None
    Planted(bucket, OverBucket.root)("people/a.parquet", parquet(people(2)))
    (piece,) = source.cut(PEOPLE, seen)
    assert [batch.read for batch in source.batches(PEOPLE, piece, None)] == [1]


class LosesAnswers(MemoryBucket):
    """A bucket whose first put happens, and whose answer to it is lost."""

    lost = False

    def put(
        self, key: str, body: pa.Buffer | bytes, about: About, replaces: ObjectVersion | Absent
    ) -> ObjectVersion:
        stored = super().put(key, body, about, replaces)
        if not self.lost:
            self.lost = True
            raise Transient("the connection ended", site=self.site)
        return stored


class TestTargetOverMemory(TargetContract):
    @pytest.fixture
    def bucket(self) -> MemoryBucket:
        return MemoryBucket(DUBLIN, page_keys=2)

    def test_a_put_whose_answer_was_lost_is_found(self) -> None:
        bucket = LosesAnswers(DUBLIN)
        target = self.open(bucket)
        parcel = self.parcel_of(target, PEOPLE, "a.parquet", people(10))
        with pytest.raises(Transient):
            target.put(parcel, ABSENT)
        arrived = target.put(parcel, ABSENT)
        assert arrived.object == bucket.head(target.key(parcel)).object
        assert bucket.count("put") == 2

    def test_a_store_that_keeps_other_bytes_is_found_out(self) -> None:
        bucket = MemoryBucket(DUBLIN)
        target = self.open(bucket)
        arrived = target.put(self.parcel_of(target, PEOPLE, "a", people(10)), ABSENT)
        bucket.plant(arrived.object.key, b"x" * arrived.object.size, etag=arrived.object.etag)
        stands = bucket.head(arrived.object.key).object
        with pytest.raises(ReadBackMismatch):
            target.read(PEOPLE, stands, arrived.sha256)

    def test_a_full_metadata_keeps_what_came(self, target: Target, bucket: MemoryBucket) -> None:
        theirs = {"note": "n" * 1_950}
        like = Found(object=ObjectVersion("x", 1, "e"), metadata=theirs)
        parcel = self.parcel_of(target, PEOPLE, "a.parquet", people(10), like=like)
        first = target.put(parcel, ABSENT)
        told = bucket.head(first.object.key).metadata
        assert told["note"] == theirs["note"]
        assert set(told) == {"note", "repatria-sha256"}
        assert target.put(parcel, ABSENT) == first


class TestTargetOverUnversionedMemory(TestTargetOverMemory):
    @pytest.fixture
    def bucket(self) -> MemoryBucket:
        return MemoryBucket(DUBLIN, honours=UNVERSIONED, page_keys=2)


def test_a_manifest_is_replaced_by_compare_and_swap() -> None:
    bucket = MemoryBucket(DUBLIN, honours=HONEST)
    manifests = ObjectManifests(bucket, LAYOUT, "ledger-1")
    name = dataset(Format.PARQUET).name
    assert manifests.held(name, IE) is None
    first = manifests.publish(name, IE, b"one", ABSENT)
    with pytest.raises(Occupied):
        manifests.publish(name, IE, b"two", ABSENT)
    second = manifests.publish(name, IE, b"two", first)
    assert manifests.held(name, IE) == (b"two", second)
    assert second.key == "eu/people/region=IE/_repatria/manifest.parquet"


def test_the_parcel_of_a_folder_like_key_is_a_parcel() -> None:
    bucket = MemoryBucket(DUBLIN)
    target: Target = TestTargetOverMemory().open(bucket)
    parcel: Parcel = TestTargetOverMemory().parcel_of(target, PEOPLE, "full/", people(1))
    assert target.put(parcel, ABSENT).object.key == "eu/people/region=IE/full/"
