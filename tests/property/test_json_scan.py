"""The compiled look at JSON lines agrees with the strict judge on every line that it takes."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.json_judge import WHITE, JsonJudge
from connectors.formats.json_scan import JsonScan
from connectors.formats.lines import Lines
from connectors.formats.strict_json import judged
from repatria.dataset import Column
from repatria.native.library import opened
from tests.compiled import library_file
from tests.property.json_texts import COLUMNS, lines_of

NESTING = 5
seeds = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def library() -> Iterator[ctypes.CDLL]:
    with library_file() as path:
        found = opened(path)
        assert found is not None, "the library has the version that its module asks for"
        yield found


def solid(lines: Lines) -> Lines:
    """Leave out blank lines, as whoever calls a judge does."""
    start, stop = lines.content(WHITE)
    return lines.pick(start < stop)


@settings(max_examples=200, deadline=None)
@given(seed=seeds, count=st.integers(0, 12))
def test_what_it_takes_the_strict_judge_takes_with_equal_values(
    library: ctypes.CDLL, seed: int, count: int
) -> None:
    lines = lines_of(Random(seed), count)
    certain, values = JsonScan(library, COLUMNS, NESTING).certain(lines)
    expected = [judged(lines.one(int(at)), COLUMNS, NESTING) for at in np.flatnonzero(certain)]
    assert list(zip(*(column.to_pylist() for column in values), strict=True)) == expected


@settings(max_examples=150, deadline=None)
@given(seed=seeds, count=st.integers(1, 12))
def test_a_judge_with_it_and_one_without_say_the_same(
    library: ctypes.CDLL, seed: int, count: int
) -> None:
    lines = solid(lines_of(Random(seed), count))
    if len(lines):
        quick = JsonJudge(COLUMNS, NESTING, library).judge(lines)
        slow = JsonJudge(COLUMNS, NESTING, None).judge(lines)
        assert quick.codes.tolist() == slow.codes.tolist()
        assert quick.columns.to_pylist() == slow.columns.to_pylist()


def one(text: bytes) -> Lines:
    return Lines(text, np.array([0, len(text)], dtype=np.int64))


TAKEN = [
    b"{}",
    b' { "user" : "a" , "n" : -12 , "x" : [ ] , "y" : { } } \r\n',
    b'{"user":null,"n":999999999999999999,"x":[1,-0.5e+3,true,false,null,"\\u00e9\\ud83d\\ude00"]}',
    '{"é":"ü","x":"\u2028 \u0800 \uffff \U0010ffff"}'.encode(),
    b'{"x":[[[[]]]]}',
    b'{"x":[{"user":1},{"user":2,"a":{"user":3}}],"y":{"user":4}}',
    b'{"x":"' + b"y" * 3000 + b'"}',
]
LEFT = [
    b"",
    b"[]",
    b'{"user":"a","user":"a"}',
    b'{"us\\u0065r":"a"}',
    b'{"x":{"user":1,"user":2}}',
    b'{"x":{"user":1,"y":[{}],"user":2}}',
    b'{"x":{"\\u0061":1}}',
    b'{"a_name_of_eight_":1,"b":2,"a_name_of_eight_":3}',
    b'{"user":"\\u0061"}',
    b'{"user":1}',
    b'{"n":1.0}',
    b'{"n":1e2}',
    b'{"n":1000000000000000000}',
    b'{"n":"1"}',
    b'{"n":true}',
    b'{"x":[[[[[]]]]]}',
    b'{"x":01}',
    b'{"x":1.}',
    b'{"x":-}',
    b'{"x":+1}',
    b'{"x":NaN}',
    b'{"x":1,}',
    b'{"x":[1,]}',
    b'{"x":[1}',
    b'{"x":1]',
    b'{"x":1}}',
    b'{"x":1} x',
    b'{"x" 1}',
    b"{x:1}",
    b'{"x":"\t"}',
    b'{"x":"\\ud800"}',
    b'{"x":"\\udc00\\ud800"}',
    b'{"x":"\\u12"}',
    b'{"x":"\\"',
    b'{"x":"\xff"}',
    b'{"x":"\xc0\xaf"}',
    b'{"x":"\xed\xa0\x80"}',
    b'{"x":"\xf4\x90\x80\x80"}',
    b'{"x":"\xe2\x82',
    b'{"x":1}\0',
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_right_is_taken(library: ctypes.CDLL, text: bytes) -> None:
    assert JsonScan(library, COLUMNS, NESTING).certain(one(text))[0].all()


@pytest.mark.parametrize("text", LEFT)
def test_what_is_not_certain_is_left(library: ctypes.CDLL, text: bytes) -> None:
    assert not JsonScan(library, COLUMNS, NESTING).certain(one(text))[0].any()


def test_more_columns_than_it_keeps_are_left(library: ctypes.CDLL) -> None:
    columns = [Column(f"c{number}") for number in range(40)]
    certain, values = JsonScan(library, columns, NESTING).certain(one(b"{}"))
    assert not certain.any()
    assert [len(column) for column in values] == [0] * 40
