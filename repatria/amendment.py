"""Amendments: what a later receipt of a (slice, ordinal) may change in the one that stands.

A batch is reproducible, so its dataset, site, end and number of records never change. Its account
changes for two reasons only: the batch was opened again, or lines are added for further regions
(rows may then have become erased, superseded or quarantined since, but are decided as they
were). A line is written once; it is replaced only by the line that counts one replacement more.
Whatever results must balance as a whole, with the lines of every earlier commit: that is
where a forgotten line would show.

Where the source has another version, the new receipt takes the place of the former one whole. It
is bound to that by the parcels alone: each of the former ones is named again, either left
alone as it was or replaced once more, so that no parcel at home is ever without a receipt. Parcels
are not enough where there are none: so it must also be the version that the work began from, or
whoever reads an older one for longest would bring back what is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from repatria.errors import FenceLost, Unbalanced
from repatria.receipt import Line, Receipt, Waiting


def amend(
    stored: Receipt | None, new: Receipt, *, reopened: bool, over: str | None = None
) -> Receipt:
    """Return the receipt that stands after ``new`` is committed over ``stored``.

    ``stored`` is what stands for the slice and ordinal, at whatever version. Repeating a commit
    gives ``stored`` itself. ``over`` is the other version that the work on ``new`` began from.
    Raises ``FenceLost`` if yet another one stands by now, and ``Unbalanced``, saying what may not
    change.
    """
    _told_apart(new)
    new.checked()
    if stored is None:
        return new
    if stored.batch.version != new.batch.version:
        if stored.batch.version != over:
            raise FenceLost("a newer version of this batch was committed", slice=new.batch.slice)
        _same(("dataset", "site"), stored, new)
        _same_parcels(stored, new)
        return new
    _same(("batch", "dataset", "site", "last", "read"), stored, new)
    lines = _lines(stored, new)
    if _same_account(stored, new):
        after = replace(stored, lines=lines)
    else:
        _may_change(stored, new, reopened=reopened, added=len(lines) > len(stored.lines))
        after = replace(new, lines=lines, waiting=_waiting(stored, new))
    after.checked()
    return stored if after == stored else after


def home_lines(lines: Iterable[Line]) -> dict[str, Line]:
    """Return the line of each region that was recorded first: the home's, never a standby's."""
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(line.region, line)
    return first


def _told_apart(new: Receipt) -> None:
    lines = {(line.region, line.site) for line in new.lines}
    waiting = {(entry.reason, entry.region) for entry in new.waiting}
    if len(lines) < len(new.lines) or len(waiting) < len(new.waiting):
        raise Unbalanced("a receipt names the same place twice", slice=new.batch.slice)


def _same(names: tuple[str, ...], stored: Receipt, new: Receipt) -> None:
    for name in names:
        if getattr(stored, name) != getattr(new, name):
            raise Unbalanced(
                "a batch read again is not the batch that was read",
                slice=new.batch.slice,
                ordinal=new.batch.ordinal,
                differs=name,
            )


def _same_parcels(former: Receipt, new: Receipt) -> None:
    """Check that every parcel of the version before is left alone or replaced once more."""
    offered = {(line.region, line.site): line for line in new.lines}
    for old in former.lines:
        line = offered.get((old.region, old.site))
        if line is None:
            raise Unbalanced(
                "a parcel of the version before would be forgotten",
                slice=new.batch.slice,
                ordinal=new.batch.ordinal,
                region=old.region,
                site=old.site,
            )
        if line != old and line.replaced != old.replaced + 1:
            raise _behind(new, old, line)


def _lines(stored: Receipt, new: Receipt) -> tuple[Line, ...]:
    lines = {(line.region, line.site): line for line in stored.lines}
    for line in new.lines:
        old = lines.setdefault((line.region, line.site), line)
        if line.replaced == old.replaced + 1:
            lines[line.region, line.site] = line
        elif line.replaced != old.replaced:
            raise _behind(new, old, line)
    return tuple(lines.values())


def _behind(new: Receipt, old: Line, line: Line) -> Unbalanced:
    return Unbalanced(
        "a parcel was replaced behind this receipt's back",
        slice=new.batch.slice,
        region=line.region,
        stored=old.replaced,
        offered=line.replaced,
    )


def _same_account(stored: Receipt, new: Receipt) -> bool:
    return _account(stored) == _account(new)


def _account(receipt: Receipt) -> tuple[object, ...]:
    census = {region: rows for region, rows in receipt.census.items() if rows}
    waiting = {(e.reason, e.region): (e.rows, e.positions) for e in receipt.waiting}
    return census, receipt.erased, receipt.superseded, waiting, receipt.decisions


def _may_change(stored: Receipt, new: Receipt, *, reopened: bool, added: bool) -> None:
    if reopened:
        return
    if stored.decisions != new.decisions:
        raise Unbalanced(
            "the residency of a batch changed", slice=new.batch.slice, ordinal=new.batch.ordinal
        )
    if not added:
        raise Unbalanced(
            "a batch that nobody opened again has another account",
            slice=new.batch.slice,
            ordinal=new.batch.ordinal,
        )


def _waiting(stored: Receipt, new: Receipt) -> tuple[Waiting, ...]:
    """Return the new entries; one that points to nothing keeps pointing where it did."""
    held = {_told(entry): entry for entry in stored.waiting if entry.kept is not None}
    return tuple(
        replace(entry, site=old.site, kept=old.kept)
        if entry.kept is None and (old := held.get(_told(entry)))
        else entry
        for entry in new.waiting
    )


def _told(entry: Waiting) -> tuple[object, ...]:
    return entry.reason, entry.region, entry.rows, entry.positions
