"""JSON that others collected (JSONTestSuite), each document a field of one record among good ones.

Found through ``REPATRIA_CASES``; NOT RUN where it is unset.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.formats.jsonl import JsonLines
from repatria.dataset import Format
from repatria.limits import Limits
from tests.unit.text_objects import column, dataset, lines, read, refused

OF = dataset(Format.JSONL)
CODEC = JsonLines(Limits())
GOOD = b'{"n":1,"user":"u1","country":"IE"}\n'


FOLDER = Path(os.environ.get("REPATRIA_CASES", "")) / "JSONTestSuite" / "test_parsing"
UNSET = "REPATRIA_CASES" not in os.environ


def names(kind: str) -> list[str]:
    """Return the names of the documents of a kind."""
    found = ["unset"] if UNSET else sorted(path.stem for path in FOLDER.glob(f"{kind}_*.json"))
    assert found, "no documents: REPATRIA_CASES does not lead to the cases"
    return found


def document(name: str) -> bytes:
    if UNSET:
        pytest.skip("NOT RUN: REPATRIA_CASES is unset")
    return (FOLDER / f"{name}.json").read_bytes()


def record(value: bytes) -> bytes:
    return b'{"n":2,"user":"u2","country":"IE","x":' + value + b"}\n"


@pytest.mark.parametrize("name", names("y"))
def test_a_valid_document_arrives_as_it_is_unless_it_says_one_thing_twice(name: str) -> None:
    if "duplicated_key" in name:
        batches = read(CODEC, OF, GOOD + record(document(name)) + GOOD)
        assert lines(batches) == [GOOD, GOOD]
        assert [why for _, why in refused(batches)] == ["malformed"]
        return
    line = record(document(name).replace(b"\n", b" "))
    batches = read(CODEC, OF, GOOD + line + GOOD)
    assert lines(batches) == [GOOD, line, GOOD]
    assert column(batches, "user") == ["u1", "u2", "u1"]


@pytest.mark.parametrize("name", names("n"))
def test_an_invalid_document_is_refused_and_its_neighbours_are_not(name: str) -> None:
    batches = read(CODEC, OF, GOOD + record(document(name)) + GOOD)
    assert lines(batches) == [GOOD, GOOD]
    assert len(refused(batches)) >= 1


@pytest.mark.parametrize("name", names("i"))
def test_any_other_document_is_refused_or_arrives_as_it_is(name: str) -> None:
    line = record(document(name))
    batches = read(CODEC, OF, GOOD + line + GOOD)
    if refused(batches):
        assert lines(batches) == [GOOD, GOOD]
    else:
        assert lines(batches) == [GOOD, line, GOOD]


@pytest.mark.parametrize("kind", ["y", "n", "i"])
def test_all_documents_in_one_object_fare_as_they_do_alone(kind: str) -> None:
    records = [record(document(name).replace(b"\n", b"")) for name in names(kind)]
    batches = read(CODEC, OF, b"".join(GOOD + line for line in records))
    alone = [line for line in records if not refused(read(CODEC, OF, line))]
    assert [line for line in lines(batches) if line != GOOD] == alone
    assert lines(batches).count(GOOD) == len(records)
