from __future__ import annotations

from itertools import pairwise
from random import Random

import pyarrow as pa
import pytest

from connectors.memory.rules import MemoryClock
from connectors.wrap.retrying import PIECE_BYTES, Retrying
from repatria.errors import AccessRefused, Missing, Occupied, StaleSlice, Throttled, Transient
from repatria.limits import Limits
from repatria.ports.bucket import ABSENT
from tests.contract.bucket_contract import about, put
from tests.unit.failing_bucket import FailingBucket

AWAY = Transient("away")
SLOW = Throttled("slow down")
LIMITS = Limits(attempts=4, wait_s_max=30.0, call_s_max=100.0)


@pytest.fixture
def inner() -> FailingBucket:
    return FailingBucket()


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def bucket(inner: FailingBucket, clock: MemoryClock) -> Retrying:
    return Retrying(inner, LIMITS, clock, Random(7))


def test_a_transient_failure_is_tried_again(
    inner: FailingBucket, bucket: Retrying, clock: MemoryClock
) -> None:
    stored = put(inner, "a", b"body")
    inner.lost = [AWAY, AWAY, AWAY]
    assert bucket.read(stored).to_pybytes() == b"body"
    assert len(clock.slept) == 3


def test_attempts_have_an_end(inner: FailingBucket, bucket: Retrying, clock: MemoryClock) -> None:
    stored = put(inner, "a", b"body")
    inner.lost = [AWAY] * 10
    with pytest.raises(Transient, match="away"):
        bucket.read(stored)
    assert len(inner.lost) == 10 - LIMITS.attempts
    assert len(clock.slept) == LIMITS.attempts - 1


@pytest.mark.parametrize(
    "failure", [AccessRefused("no"), Missing("gone"), StaleSlice("old"), Occupied("taken")]
)
def test_what_waiting_cannot_mend_is_raised_at_once(
    inner: FailingBucket, bucket: Retrying, clock: MemoryClock, failure: Exception
) -> None:
    stored = put(inner, "a", b"body")
    inner.lost = [failure]  # type: ignore[list-item]
    with pytest.raises(type(failure)):
        bucket.read(stored)
    assert clock.slept == []


def test_the_whole_wait_of_one_call_has_an_end(inner: FailingBucket, clock: MemoryClock) -> None:
    limits = Limits(attempts=1_000_000, wait_s_max=60.0, call_s_max=300.0)
    inner.lost = [AWAY] * 100_000
    with pytest.raises(Transient):
        Retrying(inner, limits, clock, Random(1)).head("a")
    assert 200.0 < clock.monotonic() <= 300.0
    assert max(clock.slept) <= 60.0


def test_waits_grow_and_a_throttled_store_is_left_alone_for_longer(
    inner: FailingBucket, clock: MemoryClock
) -> None:
    limits = Limits(attempts=7, wait_s_max=1e6, call_s_max=1e9)
    longest: dict[str, list[float]] = {}
    for failure in (AWAY, SLOW):
        waits = []
        for seed in range(40):
            clock.slept.clear()
            inner.lost = [failure] * 6
            with pytest.raises(Missing):
                Retrying(inner, limits, clock, Random(seed)).head("a")
            waits.append(list(clock.slept))
        longest[failure.args[0]] = [max(column) for column in zip(*waits, strict=True)]
        if failure is SLOW:
            assert min(min(column) for column in waits) >= 1.0
    for column in longest.values():
        assert all(later > sooner for sooner, later in pairwise(column))
    assert all(
        slow > 3 * away for slow, away in zip(longest["slow down"], longest["away"], strict=True)
    )


def test_a_put_that_was_lost_is_put_again(inner: FailingBucket, bucket: Retrying) -> None:
    inner.lost = [AWAY]
    stored = put(bucket, "a", b"body")
    assert inner.read(stored).to_pybytes() == b"body"


def test_a_put_whose_answer_was_lost_finds_itself_and_says_occupied(
    inner: FailingBucket, bucket: Retrying
) -> None:
    inner.unheard = [AWAY]
    with pytest.raises(Occupied):
        put(bucket, "a", b"body")
    assert inner.count("put") == 2
    assert inner.read(inner.head("a").object).to_pybytes() == b"body"


def test_a_listing_is_carried_on_where_it_broke(
    inner: FailingBucket, bucket: Retrying, clock: MemoryClock
) -> None:
    keys = [f"k{number:02d}" for number in range(20)]
    for key in keys:
        inner.plant(key, b"x")
    inner.break_after = [(0, AWAY), (5, AWAY), (0, AWAY), (7, AWAY), (8, AWAY)]
    assert [found.object.key for found in bucket.list("k")] == keys
    assert len(clock.slept) == 5
    assert inner.count("list") < 20


def test_a_listing_that_never_moves_on_ends_in_the_failure(
    inner: FailingBucket, bucket: Retrying
) -> None:
    inner.plant("k1", b"x")
    inner.break_after = [(0, AWAY)] * 10
    with pytest.raises(Transient):
        list(bucket.list("k"))
    assert len(inner.break_after) == 10 - LIMITS.attempts


def test_a_listing_that_breaks_at_its_end_ends_there(
    inner: FailingBucket, bucket: Retrying
) -> None:
    inner.plant("k1", b"x")
    inner.break_after = [(1, AWAY)]
    assert [found.object.key for found in bucket.list("k")] == ["k1"]


def test_a_broken_stream_is_carried_on_at_its_byte(
    inner: FailingBucket, bucket: Retrying, clock: MemoryClock
) -> None:
    body = Random(3).randbytes(2 * PIECE_BYTES + 5_000)
    stored = put(inner, "a", body)
    inner.lost = [AWAY, None, AWAY]
    inner.break_after = [(3, AWAY)]
    with bucket.stream(stored, 1000) as chunks:
        pieces = list(chunks)
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= 1000
    assert inner.count("stream") == 1
    assert inner.count("read") == 3
    assert len(clock.slept) == 3


def test_a_stream_that_broke_after_its_last_byte_is_damaged(
    inner: FailingBucket, bucket: Retrying
) -> None:
    stored = put(inner, "a", b"0123456789")
    inner.break_after = [(10, Transient("the checksum is another"))]
    with bucket.stream(stored, 1) as chunks, pytest.raises(Transient, match="checksum"):
        list(chunks)


def test_a_stream_that_broke_is_not_carried_on_in_another_version(
    inner: FailingBucket, bucket: Retrying
) -> None:
    stored = inner.plant("a", b"0123456789")
    listed = next(inner.list("a")).object
    inner.break_after = [(3, AWAY)]
    with bucket.stream(listed, 1) as chunks:
        assert next(chunks) == b"0"
        inner.put("a", b"9876543210", about(b"9876543210"), stored)
        with pytest.raises(StaleSlice):
            list(chunks)


def test_all_else_is_tried_again_too(inner: FailingBucket, bucket: Retrying) -> None:
    inner.lost = [AWAY]
    assert bucket.probe("_repatria/probe").create_only is True
    assert bucket.observe() == inner.observe()
    stored = put(bucket, "a", b"x")
    assert bucket.tags(stored.key) == {}
    inner.lost = [AWAY]
    assert bucket.read_back(stored, pa.py_buffer(b"x")).to_pybytes() == b"x"
    with pytest.raises(Occupied):
        bucket.put("a", b"x", about(b"x"), ABSENT)
