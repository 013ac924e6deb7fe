from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from connectors.memory.rules import MemoryClock
from connectors.wrap.easing import CALM_S, FIRST_GAP_S, GAP_S_MAX, TOGETHER_S, Easing
from connectors.wrap.throttled import Throttled
from repatria import errors
from tests.contract.bucket_contract import put
from tests.unit.failing_bucket import FailingBucket

SLOW = errors.Throttled("slow down")


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def easing(clock: MemoryClock) -> Easing:
    return Easing(clock)


def plead(easing: Easing) -> None:
    with pytest.raises(errors.Throttled), easing.heeding():
        raise SLOW


def gap(easing: Easing, clock: MemoryClock) -> float:
    """Return by how much two requests at once are kept apart."""
    easing.take()
    before_s = clock.monotonic()
    easing.take()
    return clock.monotonic() - before_s


def test_nobody_waits_for_a_store_that_never_pleaded(easing: Easing, clock: MemoryClock) -> None:
    with easing.heeding():
        easing.take()
    with pytest.raises(errors.Transient), easing.heeding():
        raise errors.Transient("away")
    assert gap(easing, clock) == 0.0


def test_each_plea_halves_the_rate_down_to_a_limit(easing: Easing, clock: MemoryClock) -> None:
    gaps = []
    for _ in range(12):
        plead(easing)
        gaps.append(gap(easing, clock))
        clock.advance(TOGETHER_S)
    assert gaps[:3] == pytest.approx([FIRST_GAP_S, 2 * FIRST_GAP_S, 4 * FIRST_GAP_S])
    assert gaps[-1] == pytest.approx(GAP_S_MAX)


def test_pleas_that_come_together_count_as_one(easing: Easing, clock: MemoryClock) -> None:
    for _ in range(50):
        plead(easing)
    assert gap(easing, clock) == pytest.approx(FIRST_GAP_S)


def test_calm_brings_the_rate_back_step_by_step(easing: Easing, clock: MemoryClock) -> None:
    for _ in range(3):
        plead(easing)
        clock.advance(TOGETHER_S)
    gaps = []
    for _ in range(4):
        gaps.append(gap(easing, clock))
        clock.advance(CALM_S)
    assert gaps == pytest.approx([4 * FIRST_GAP_S, 2 * FIRST_GAP_S, FIRST_GAP_S, 0.0])


@pytest.mark.parametrize("call", ["head", "read", "read_back", "stream", "list", "put"])
def test_a_plea_of_any_call_slows_all_others(clock: MemoryClock, call: str) -> None:
    inner = FailingBucket()
    bucket = Throttled(inner, requests_per_s=None, bytes_per_s=None, clock=clock)
    stored = put(inner, "a", b"x")
    inner.lost = [SLOW]
    inner.break_after = [(0, SLOW)] if call == "list" else []
    calls: dict[str, Callable[[], object]] = {
        "head": lambda: bucket.head("a"),
        "read": lambda: bucket.read(stored),
        "read_back": lambda: bucket.read_back(stored, pa.py_buffer(b"x")),
        "stream": lambda: bucket.stream(stored).__enter__(),
        "list": lambda: list(bucket.list("")),
        "put": lambda: put(bucket, "b", b"y"),
    }
    with pytest.raises(errors.Throttled):
        calls[call]()
    inner.lost = []
    bucket.tags("a")
    bucket.tags("a")
    assert clock.slept == pytest.approx([FIRST_GAP_S])
