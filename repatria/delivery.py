"""Delivers one parcel: puts it, and judges what is found in its place by what receipts say.

A put that finds another attempt of ours cannot tell a leftover of a crash from the parcel of a
newer receipt. So the ledger is asked, *after* the attempt was seen, and the replacement is
conditional on that very attempt: a worker whose lease is long gone cannot overwrite what its
successor committed, and what a dead worker left behind never blocks its successor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from repatria.errors import FenceLost, LeftOver, Transient
from repatria.ports.bucket import ABSENT, Absent
from repatria.ports.ledger import Receipts
from repatria.ports.records import Arrived, Parcel, Target
from repatria.receipt import Line
from repatria.stored import ObjectVersion

ROUNDS: Final = 3
"""How often one put looks again at what stands in its place."""


def deliver(parcel: Parcel, target: Target, receipts: Receipts, line: Line | None) -> Arrived:
    """Put ``parcel`` where ``line`` says its predecessor stands, or where nothing stands.

    Raises ``FenceLost`` if a receipt names what is found instead, ``ForeignObject`` if it is not
    ours at all, ``Transient`` if it keeps changing.
    """

    def allowed(found: ObjectVersion) -> None:
        if found in _named(parcel, receipts):
            raise FenceLost("a newer receipt names this parcel", site=parcel.site)

    before = line.object if line is not None else ABSENT
    return _persist(lambda replaces: target.put(parcel, replaces), before, allowed)


def keep(parcel: Parcel, target: Target, name: str) -> Arrived:
    """Keep records that wait. An older attempt gives way: its records are still at the source."""
    return _persist(lambda replaces: target.keep(parcel, name, replaces), ABSENT, lambda _: None)


def _persist(
    put: Callable[[ObjectVersion | Absent], Arrived],
    replaces: ObjectVersion | Absent,
    allowed: Callable[[ObjectVersion], None],
) -> Arrived:
    for _ in range(ROUNDS):
        try:
            return put(replaces)
        except LeftOver as left:
            allowed(left.found)
            replaces = left.found
    raise Transient("another worker puts the same parcel")


def _named(parcel: Parcel, receipts: Receipts) -> list[ObjectVersion]:
    """Return what receipts say stands where ``parcel`` belongs."""
    return [
        line.object
        for name, receipt in receipts.committed([parcel.piece.id]).items()
        if name.ordinal == parcel.ordinal
        for line in receipt.lines
        if (line.region, line.site) == (parcel.region, parcel.site)
    ]
