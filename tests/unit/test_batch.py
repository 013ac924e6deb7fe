"""Rows are taken from a batch whatever their types, or the object is refused by name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from repatria.batch import taken_from
from repatria.errors import BadObject


def test_views_are_taken_from_and_stay_views() -> None:
    rows = pa.table(
        {
            "text": pa.array(["x", None, "z"], pa.string_view()),
            "bytes": pa.array([b"1", b"2", None], pa.binary_view()),
            "number": [1, 2, 3],
        }
    )
    taken = taken_from(rows, np.array([2, 0]))
    assert taken.schema == rows.schema
    assert taken.to_pylist() == [
        {"text": "z", "bytes": None, "number": 3},
        {"text": "x", "bytes": b"1", "number": 1},
    ]


def test_what_cannot_be_taken_from_spoils_one_object_and_not_the_run() -> None:
    rows = pa.table({"nested": pa.array([["x"], ["y"]], pa.list_(pa.string_view()))})
    with pytest.raises(BadObject):
        taken_from(rows, np.array([1]))


class Unhashable(pa.ExtensionType):
    """What Arrow makes of a type that somebody defines in Python."""

    def __init__(self) -> None:
        super().__init__(pa.binary(), "unit.unhashable")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""


def test_rows_of_a_type_that_others_define_can_be_taken() -> None:
    kind = Unhashable()
    with pytest.raises(TypeError):
        hash(kind)
    column = pa.ExtensionArray.from_storage(kind, pa.array([b"a", b"b", None]))
    taken = taken_from(pa.table({"shape": column}), np.array([2, 0], dtype=np.int64))
    assert taken.column("shape").type == kind
    assert taken.column("shape").to_pylist() == [None, b"a"]


@pytest.mark.parametrize("places", [[], [0, 3, 4, 8], [8, 0, 4, 3], [5]])
def test_rows_of_many_chunks_are_taken_in_the_order_asked_for(places: list[int]) -> None:
    column = pa.chunked_array([["a", "b"], [], ["c"], ["d", "e", "f", "g", "h", "i"]])
    rows = pa.table({"text": column, "number": list(range(9))})
    taken = taken_from(rows, np.array(places, dtype=np.int64))
    assert taken.column("number").to_pylist() == places
    assert taken.equals(rows.take(np.array(places, dtype=np.int64)))
