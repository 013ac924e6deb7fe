"""What crosses between a door and its hands arrives as it was, and says no more than it may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.hands import wire
from flows.hands.errand import Errand, Verb
from flows.jobs import Mode, Order
from repatria import errors
from repatria.errors import LeftOver, RepatriaError


def family(cls: type[RepatriaError] = RepatriaError) -> Iterator[type[RepatriaError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from family(below)


FAMILY = [cls for cls in family() if cls.__module__ == errors.__name__ and cls is not LeftOver]


@pytest.mark.parametrize("cls", FAMILY, ids=lambda cls: cls.__name__)
def test_a_failure_arrives_as_the_same_failure(cls: type[RepatriaError]) -> None:
    error = cls("something said no", object="a.csv at us", attempt=3)
    heard = wire.failure(wire.message(wire.line(wire.told(error))))
    assert type(heard) is cls
    assert str(heard) == str(error)
    assert isinstance(heard, RepatriaError)
    assert (heard.hint, heard.exit_code) == (error.hint, error.exit_code)


def test_a_failure_that_only_the_other_side_knows_arrives_as_its_parent() -> None:
    class OfTheirs(errors.Corrupt):
        """Known there."""

    told = wire.told(OfTheirs("no")) | {"names": ["Unheard", "Corrupt", "RepatriaError"]}
    assert type(wire.failure(told)) is errors.Corrupt


@pytest.mark.parametrize(
    "error",
    [AssertionError("ada@example.net"), UnicodeDecodeError("utf-8", b"ada@example", 0, 1, "x")],
)
def test_of_a_defect_its_kind_and_its_way_arrive_and_not_its_text(error: Exception) -> None:
    try:
        raise error
    except type(error) as caught:
        line = wire.line(wire.told(caught))
    heard = wire.failure(wire.message(line))
    assert type(heard).__name__ == type(error).__name__
    assert not isinstance(heard, RepatriaError)
    assert b"ada" not in line
    assert "test_hands_wire" in "".join(heard.__notes__)


def test_an_errand_arrives_as_it_was(tmp_path: Path) -> None:
    order = Order(mode=Mode.LIVE, plan="3f9a01cc", datasets=("posts",), regions=("IE",), sample=0.5)
    errand = Errand(verb=Verb.MOVE, folder=tmp_path, order=order, run="20260101T000000-1")
    assert Errand.heard(wire.message(wire.line(errand.told()))) == errand
