from __future__ import annotations

import base64
import hashlib

import pytest

from connectors.memory.bucket import MemoryBucket
from connectors.wrap.rehearsed import Rehearsed
from repatria.errors import Missing, Occupied, Refused, StaleSlice, Transient
from repatria.names import SiteName
from repatria.ports.bucket import ABSENT, Bucket
from repatria.stored import About, Honours, ObjectVersion
from tests.contract.bucket_contract import about, put


@pytest.fixture
def real() -> MemoryBucket:
    return MemoryBucket(SiteName("dublin-1"))


@pytest.fixture
def bucket(real: MemoryBucket) -> Rehearsed:
    return Rehearsed(real)


def test_it_is_a_bucket(bucket: Bucket) -> None:
    assert bucket.site == "dublin-1"


def test_nothing_that_is_put_reaches_the_store(real: MemoryBucket, bucket: Rehearsed) -> None:
    stored = put(bucket, "a", b"body")
    bucket.probe("_repatria/probe")
    assert bucket.read(stored).to_pybytes() == b"body"
    assert list(real.list("")) == []
    assert real.count("put") == real.count("probe") == 0


def test_what_was_put_is_seen_until_it_is_read_back_whole(bucket: Rehearsed) -> None:
    told = about(b"body", headers={"Content-Type": "x/y"}, tags={"a": "b"})
    stored = bucket.put("p/a", b"body", told, ABSENT)
    found = bucket.head("p/a")
    assert (found.object, dict(found.headers)) == (stored, {"Content-Type": "x/y"})
    assert found.checksum is not None
    assert base64.b64decode(found.checksum.value) == hashlib.sha256(b"body").digest()
    assert bucket.tags("p/a") == {"a": "b"}
    assert bucket.read(stored, 1, 3).to_pybytes() == b"od"
    assert bucket.held_bytes == 4
    assert bucket.read(stored).to_pybytes() == b"body"
    assert bucket.held_bytes == 0
    with pytest.raises(Missing):
        bucket.head("p/a")


def test_a_stream_is_a_reading_back_too(bucket: Rehearsed) -> None:
    stored = put(bucket, "a", b"0123456789")
    with bucket.stream(stored, 4) as chunks:
        assert list(chunks) == [b"0123", b"4567", b"89"]
    assert bucket.held_bytes == 0


def test_a_put_is_refused_where_the_real_one_would_be(
    real: MemoryBucket, bucket: Rehearsed
) -> None:
    standing = real.plant("a", b"theirs")
    with pytest.raises(Occupied):
        put(bucket, "a", b"ours")
    with pytest.raises(Occupied):
        put(bucket, "b", b"ours", standing)
    with pytest.raises(Occupied):
        put(bucket, "a", b"ours", ObjectVersion("a", 1, "0" * 32))
    again = put(bucket, "a", b"ours", standing)
    assert bucket.read(again).to_pybytes() == b"ours"
    assert real.read(standing).to_pybytes() == b"theirs"


def test_a_put_that_is_still_held_stands_in_the_way(bucket: Rehearsed) -> None:
    first = put(bucket, "a", b"first")
    with pytest.raises(Occupied):
        put(bucket, "a", b"first")
    second = put(bucket, "a", b"second", first)
    assert bucket.held_bytes == len(b"second")
    with pytest.raises((StaleSlice, Missing)):
        bucket.read(first)
    assert bucket.read(second).to_pybytes() == b"second"


def test_a_body_that_is_not_what_was_announced_is_refused(bucket: Rehearsed) -> None:
    lie = About(sha256=hashlib.sha256(b"other").hexdigest())
    with pytest.raises(Transient):
        bucket.put("a", b"body", lie, ABSENT)


def test_what_is_held_has_a_limit(real: MemoryBucket) -> None:
    bucket = Rehearsed(real, held_bytes_max=10)
    first = put(bucket, "a", b"x" * 8)
    with pytest.raises(Refused):
        put(bucket, "b", b"x" * 3)
    bucket.read(first)
    put(bucket, "b", b"x" * 3)


def test_a_listing_shows_what_is_held_in_its_place(real: MemoryBucket, bucket: Rehearsed) -> None:
    for key in ("p/a", "p/c", "q"):
        real.plant(key, b"real")
    put(bucket, "p/b", b"held")
    put(bucket, "p/d", b"held")
    put(bucket, "p/c", b"replaced", real.head("p/c").object)
    listed = [(found.object.key, found.object.size) for found in bucket.list("p/")]
    assert listed == [("p/a", 4), ("p/b", 4), ("p/c", 8), ("p/d", 4)]
    assert [found.object.key for found in bucket.list("p/", "p/b")] == ["p/c", "p/d"]


def test_nothing_is_promised_that_was_not_tried(bucket: Rehearsed, real: MemoryBucket) -> None:
    assert bucket.probe("p") == Honours()
    assert bucket.observe() == real.observe()
