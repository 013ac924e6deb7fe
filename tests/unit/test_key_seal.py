"""Object keys that name people stand in a manifest sealed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.key_seal import KeySeal
from repatria.errors import KeyRefused

SEAL = KeySeal(b"k" * 32)


@given(st.text())
def test_a_sealed_key_opens_to_itself(key: str) -> None:
    assert SEAL.open(SEAL.seal(key)) == key
    assert SEAL.seal(key) == SEAL.seal(key)


def test_a_sealed_key_does_not_show_the_key() -> None:
    assert b"ada@example.org" not in SEAL.seal("users/ada@example.org.json")


def test_another_seal_does_not_open_it() -> None:
    with pytest.raises(KeyRefused):
        KeySeal(b"o" * 32).open(SEAL.seal("a"))


def test_a_changed_byte_is_noticed() -> None:
    sealed = bytearray(SEAL.seal("users/1"))
    sealed[-1] ^= 1
    with pytest.raises(KeyRefused):
        SEAL.open(bytes(sealed))
