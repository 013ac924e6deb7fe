"""A receipt that does not balance does not exist."""

from __future__ import annotations

from dataclasses import replace

import pytest

from repatria.batch import Reason
from repatria.errors import Unbalanced
from repatria.names import SliceId
from repatria.receipt import ELSEWHERE, BatchName, Line, Receipt, Waiting
from repatria.stored import ObjectVersion
from tests.people import DE, DUBLIN, HAMAR, IE, PROFILES, US

LINE = Line(
    region=IE.name,
    site=DUBLIN.name,
    rows=3,
    object=ObjectVersion("k", 9, "e"),
    sha256="0" * 64,
    digest="c0:3:" + "0" * 32,
)
RECEIPT = Receipt(
    batch=BatchName(SliceId("1" * 32), 0, "v1"),
    dataset=PROFILES.name,
    site=US.name,
    last=True,
    read=12,
    census={IE.name: 3, DE.name: 2, ELSEWHERE: 4},
    erased=1,
    superseded=1,
    waiting=(Waiting(reason=Reason.NO_USER, region=None, rows=1, positions=(7,)),),
    lines=(LINE,),
    decisions="a:b",
    bytes_read=100,
)


def test_a_balanced_receipt_says_where_everything_went() -> None:
    balanced = RECEIPT.checked()
    assert (balanced.moved, balanced.stayed, balanced.quarantined) == (3, 6, 1)


def test_a_second_copy_does_not_move_a_record_twice() -> None:
    assert replace(RECEIPT, lines=(LINE, replace(LINE, site=HAMAR.name))).checked().moved == 3


@pytest.mark.parametrize(
    "broken",
    [
        replace(RECEIPT, read=13),
        replace(RECEIPT, read=11),
        replace(RECEIPT, erased=0),
        replace(RECEIPT, superseded=2),
        replace(RECEIPT, waiting=()),
        replace(RECEIPT, census={IE.name: 3, ELSEWHERE: 4}),
        replace(RECEIPT, lines=(replace(LINE, rows=4),)),
        replace(RECEIPT, lines=(replace(LINE, rows=2),)),
        replace(RECEIPT, lines=(replace(LINE, region=DE.name),)),
    ],
)
def test_what_does_not_balance_is_refused(broken: Receipt) -> None:
    with pytest.raises(Unbalanced):
        broken.checked()
