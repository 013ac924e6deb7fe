from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from connectors.memory.bucket import MemoryBucket
from connectors.memory.rules import MemoryClock
from connectors.wrap.throttled import Rate, Throttled
from repatria.names import SiteName
from tests.contract.bucket_contract import put


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def inner() -> MemoryBucket:
    return MemoryBucket(SiteName("dublin-1"))


def throttled(
    inner: MemoryBucket, clock: MemoryClock, requests: float | None, volume: float | None
) -> Throttled:
    return Throttled(inner, requests_per_s=requests, bytes_per_s=volume, clock=clock)


def test_requests_come_no_faster_than_agreed(inner: MemoryBucket, clock: MemoryClock) -> None:
    bucket = throttled(inner, clock, 10.0, None)
    stored = put(bucket, "a", b"x")
    for _ in range(99):
        bucket.read(stored)
    assert clock.monotonic() == pytest.approx(9.0)


def test_bytes_come_no_faster_than_agreed(inner: MemoryBucket, clock: MemoryClock) -> None:
    bucket = throttled(inner, clock, None, 1000.0)
    stored = put(bucket, "a", b"x" * 3000)
    assert clock.monotonic() == pytest.approx(2.0)
    bucket.read(stored, 0, 500)
    with bucket.stream(stored, 100) as chunks:
        assert b"".join(chunks) == b"x" * 3000
    assert clock.monotonic() == pytest.approx(5.5)


def test_what_is_read_back_pays_for_request_and_bytes(
    inner: MemoryBucket, clock: MemoryClock
) -> None:
    body = pa.py_buffer(b"x" * 3000)
    stored = put(inner, "a", bytes(body))
    throttled(inner, clock, None, 1000.0).read_back(stored, body)
    assert clock.monotonic() == pytest.approx(2.0)
    bucket = throttled(inner, clock, 1.0, None)
    for _ in range(3):
        bucket.read_back(stored, body)
    assert clock.monotonic() == pytest.approx(4.0)


def test_a_stream_that_is_closed_early_costs_what_was_read(
    inner: MemoryBucket, clock: MemoryClock
) -> None:
    stored = put(inner, "a", b"x" * 100_000)
    with throttled(inner, clock, None, 1000.0).stream(stored, 1000) as chunks:
        next(chunks)
        next(chunks)
    assert clock.monotonic() == pytest.approx(1.0)


def test_rest_is_saved_up_for_one_second_only(clock: MemoryClock) -> None:
    rate = Rate(10.0, clock)
    clock.advance(1000.0)
    rate.take(20)
    assert clock.monotonic() == pytest.approx(1001.0)


def test_a_listing_pays_for_each_thousand_entries(inner: MemoryBucket, clock: MemoryClock) -> None:
    for number in range(2500):
        inner.plant(f"k{number:04d}", b"")
    bucket = throttled(inner, clock, 1.0, None)
    assert sum(1 for _ in bucket.list("k")) == 2500
    assert clock.monotonic() == pytest.approx(2.0)


def test_every_request_pays(inner: MemoryBucket, clock: MemoryClock) -> None:
    inner.plant("a", b"")
    bucket = throttled(inner, clock, 1.0, None)
    bucket.head("a")
    bucket.tags("a")
    bucket.observe()
    with bucket.stream(inner.head("a").object) as chunks:
        list(chunks)
    assert clock.monotonic() == pytest.approx(3.0)
    bucket.probe("p")
    assert clock.monotonic() == pytest.approx(13.0)


def test_without_a_rate_nobody_waits(inner: MemoryBucket, clock: MemoryClock) -> None:
    bucket = throttled(inner, clock, None, None)
    bucket.read(put(bucket, "a", b"x" * 1000))
    assert clock.slept == []


def test_threads_share_one_rate(clock: MemoryClock) -> None:
    rate = Rate(100.0, clock)

    def take_fifty() -> None:
        for _ in range(50):
            rate.take(1)

    threads = [threading.Thread(target=take_fifty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.monotonic() >= 1.0
