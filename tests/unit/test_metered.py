from __future__ import annotations

import pyarrow as pa
import pytest

from connectors.memory.rules import MemoryClock
from connectors.wrap.metered import Count, Meter, Metered
from repatria.errors import Missing, Transient
from tests.contract.bucket_contract import put
from tests.unit.failing_bucket import FailingBucket


@pytest.fixture
def meter() -> Meter:
    return Meter(MemoryClock())


@pytest.fixture
def inner() -> FailingBucket:
    return FailingBucket()


@pytest.fixture
def bucket(inner: FailingBucket, meter: Meter) -> Metered:
    return Metered(inner, meter)


def test_bytes_are_counted_in_both_directions(bucket: Metered, meter: Meter) -> None:
    stored = put(bucket, "a", b"0123456789")
    bucket.read(stored, 2, 5)
    bucket.read_back(stored, pa.py_buffer(b"0123456789"))
    with bucket.stream(stored, 4) as chunks:
        next(chunks)
    assert meter.counts() == {
        "put": Count(calls=1, bytes_out=10),
        "read": Count(calls=2, bytes_in=13),
        "stream": Count(calls=1, bytes_in=4),
    }
    assert meter.total() == Count(calls=4, bytes_in=17, bytes_out=10)


def test_failures_are_counted_and_raised(
    inner: FailingBucket, bucket: Metered, meter: Meter
) -> None:
    with pytest.raises(Missing):
        bucket.head("a")
    inner.plant("a", b"x")
    inner.break_after = [(0, Transient("away"))]
    with pytest.raises(Transient):
        list(bucket.list("a"))
    assert meter.counts()["head"] == Count(calls=1, errors=1)
    assert meter.counts()["list"] == Count(calls=1, errors=1)


def test_a_listing_is_one_call_with_its_entries(
    inner: FailingBucket, bucket: Metered, meter: Meter
) -> None:
    for number in range(1003):
        inner.plant(f"k{number:04d}", b"")
    assert sum(1 for _ in bucket.list("k")) == 1003
    assert meter.counts()["list"] == Count(calls=1, entries=1003)


def test_the_time_that_a_call_takes_is_counted() -> None:
    clock = MemoryClock()
    meter = Meter(clock)
    meter.timed("read", lambda: clock.advance(2.5), Count(calls=1))
    for _ in meter.each("list", iter((1, 2)), lambda _one: Count(entries=1), 1000):
        clock.advance(100.0)
    assert meter.total() == Count(calls=1, entries=2, seconds=2.5)
