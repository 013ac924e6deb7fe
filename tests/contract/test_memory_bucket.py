from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import ClassVar

import pytest

from connectors.memory.bucket import HONEST, UNVERSIONED, MemoryBucket
from repatria.errors import Archived, Refused, RepatriaError, StaleSlice
from repatria.names import SiteName
from repatria.ports.bucket import ABSENT
from repatria.stored import About, Honours
from tests.contract.bucket_contract import BucketContract, about, put

DUBLIN = SiteName("dublin-1")


class TestMemoryBucket(BucketContract):
    honours: ClassVar[Honours] = HONEST

    @pytest.fixture
    def bucket(self) -> MemoryBucket:
        return MemoryBucket(DUBLIN, honours=self.honours, page_keys=2)

    @pytest.fixture
    def remove(self, bucket: MemoryBucket) -> Callable[[str], None]:
        return bucket.remove

    def test_a_try_finds_every_promise_kept(self, bucket: MemoryBucket) -> None:
        assert bucket.probe("_repatria/probe") == self.honours
        assert bucket.probe("_repatria/probe") == self.honours


class TestUnversionedMemoryBucket(TestMemoryBucket):
    versioned = False
    honours = UNVERSIONED


PROMISES = [field.name for field in fields(Honours)]


@pytest.mark.parametrize("promise", PROMISES)
def test_a_try_finds_each_promise_that_is_broken(promise: str) -> None:
    broken = Honours(**{name: name != promise for name in PROMISES})
    bucket = MemoryBucket(DUBLIN, honours=broken)
    assert bucket.probe("_repatria/probe") == broken
    assert bucket.probe("_repatria/probe") == broken


def test_a_body_that_is_not_what_was_announced_is_refused() -> None:
    bucket = MemoryBucket(DUBLIN)
    with pytest.raises(RepatriaError) as caught:
        bucket.put("a", b"body", about(b"another"), ABSENT)
    assert caught.value.facts["code"] == "BadDigest"
    assert list(bucket.list("")) == []


def test_an_archived_object_is_told_and_not_read() -> None:
    bucket = MemoryBucket(DUBLIN)
    stored = bucket.plant("a", b"cold", About(sha256="", storage_class="GLACIER"))
    assert bucket.head("a").archived
    assert next(bucket.list("a")).archived
    with pytest.raises(Archived):
        bucket.read(stored)


def test_a_key_that_is_too_long_is_refused() -> None:
    with pytest.raises(Refused):
        put(MemoryBucket(DUBLIN), "k" * 1025, b"")


def test_a_removed_key_leaves_its_versions_behind_unless_they_go_too() -> None:
    bucket = MemoryBucket(DUBLIN)
    stored = put(bucket, "a", b"1")
    bucket.remove("a")
    assert bucket.read(stored).to_pybytes() == b"1"
    bucket.forget("a")
    with pytest.raises(StaleSlice):
        bucket.read(stored)


def test_a_planted_object_of_several_parts_has_no_md5() -> None:
    bucket = MemoryBucket(DUBLIN)
    bucket.plant("a", b"1", etag="0123456789abcdef0123456789abcdef-2", checksum=None)
    found = bucket.head("a")
    assert not found.etag_is_md5
    assert found.checksum is None


def test_each_request_is_logged_and_no_planting_is() -> None:
    bucket = MemoryBucket(DUBLIN, page_keys=2)
    bucket.plant("a", b"1")
    bucket.read(put(bucket, "b", b"2"))
    list(bucket.list(""))
    told = [(request.operation, request.key) for request in bucket.requests]
    assert told == [("put", "b"), ("read", "b"), ("list", ""), ("list", "")]
    assert bucket.count("list") == 2
    assert "b" not in repr(bucket.requests[0]).replace("Request", "").replace("put", "")
