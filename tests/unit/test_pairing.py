"""Two listings side by side: what only repeats, and what must be compared record by record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repatria.pairing import pairs, same
from repatria.stored import Checksum, Found, ObjectVersion

MD5 = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
ONE = Found(object=ObjectVersion("a", 5, MD5))


def with_sum(algorithm: str, value: str, etag: str = "x-1") -> Found:
    return Found(object=ObjectVersion("a", 5, etag), checksum=Checksum(algorithm, value))


@pytest.mark.parametrize(
    ("primary", "backup", "verdict"),
    [
        (ONE, ONE, True),
        (ONE, Found(object=ObjectVersion("a", 6, MD5)), False),
        (ONE, Found(object=ObjectVersion("a", 5, OTHER)), None),
        (
            replace(ONE, etag_is_md5=True),
            Found(object=ObjectVersion("a", 5, OTHER), etag_is_md5=True),
            False,
        ),
        (
            Found(object=ObjectVersion("a", 5, MD5 + "-2")),
            Found(object=ObjectVersion("a", 5, MD5 + "-2")),
            None,
        ),
        (with_sum("SHA256", "x"), with_sum("SHA256", "x", "y-2"), True),
        (with_sum("SHA256", "x"), with_sum("SHA256", "y"), False),
        (with_sum("SHA256", "x"), with_sum("CRC32", "x"), None),
    ],
)
def test_only_comparable_sums_decide(primary: Found, backup: Found, verdict: bool | None) -> None:
    assert same(primary, backup) is verdict
    assert same(backup, primary) is verdict


@given(
    st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
    st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
)
def test_the_walk_meets_every_key_of_both_once(left: set[str], right: set[str]) -> None:
    def listing(keys: set[str]) -> list[tuple[str, Found]]:
        ordered = sorted(keys, key=lambda key: key.encode())
        return [(key, Found(object=ObjectVersion(key, 1, "e"))) for key in ordered]

    walked = list(pairs(iter(listing(left)), iter(listing(right))))
    assert [pair.relative for pair in walked] == [key for key, _ in listing(left | right)]
    assert {pair.relative for pair in walked if pair.primary} == left
    assert {pair.relative for pair in walked if pair.backup} == right
