from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from connectors.memory.bucket import MemoryBucket
from connectors.memory.rules import MemoryClock
from connectors.wrap.metered import Meter, Metered
from connectors.wrap.retrying import Retrying
from connectors.wrap.throttled import Throttled
from repatria.limits import Limits
from repatria.names import SiteName
from repatria.ports.bucket import Bucket
from tests.contract.bucket_contract import BucketContract


class Wrapped(BucketContract):
    @pytest.fixture
    def inner(self) -> MemoryBucket:
        return MemoryBucket(SiteName("dublin-1"), page_keys=2)

    @pytest.fixture
    def remove(self, inner: MemoryBucket) -> Callable[[str], None]:
        return inner.remove


class TestRetrying(Wrapped):
    @pytest.fixture
    def bucket(self, inner: MemoryBucket) -> Bucket:
        return Retrying(inner, Limits(), MemoryClock(), Random(1))


class TestThrottled(Wrapped):
    @pytest.fixture
    def bucket(self, inner: MemoryBucket) -> Bucket:
        return Throttled(inner, requests_per_s=5.0, bytes_per_s=100.0, clock=MemoryClock())


class TestMetered(Wrapped):
    @pytest.fixture
    def bucket(self, inner: MemoryBucket) -> Bucket:
        return Metered(inner, Meter(MemoryClock()))


class TestAllOfThem(Wrapped):
    @pytest.fixture
    def bucket(self, inner: MemoryBucket) -> Bucket:
        clock = MemoryClock()
        metered = Metered(inner, Meter(clock))
        slowed = Throttled(metered, requests_per_s=5.0, bytes_per_s=100.0, clock=clock)
        return Retrying(slowed, Limits(), clock, Random(1))
