"""The allocator of the hot path keeps pages, and is chosen once."""

from __future__ import annotations

import ctypes

import pyarrow as pa
import pytest

from connectors import allocator

ELSEWHERE = "NOT RUN: the C library of this machine is not the one whose allocator is chosen"


def test_arrow_takes_its_memory_from_the_heap_that_keeps_its_pages() -> None:
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip(ELSEWHERE)
    assert allocator.settle()
    assert pa.default_memory_pool().backend_name == "system"


def test_another_c_library_keeps_arrows_own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    before = pa.default_memory_pool().backend_name
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not allocator.settle.__wrapped__()
    assert pa.default_memory_pool().backend_name == before
