"""Whatever is done to it, the SQL ledger answers as the one in memory does.

And neither ever loses sight of a parcel, or of what the journal is owed, whatever its sources do.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors.memory.ledger import MemoryLedger
from connectors.sql.ledger import SqlLedger, open_ledger
from repatria.batch import Reason
from repatria.errors import FenceLost, Unbalanced
from repatria.names import Ordinal, RegionName, SiteName, SliceId
from repatria.ports.leases import Lease
from repatria.ports.ledger import Ledger, Quarantined, Verdict
from repatria.receipt import BatchName, Line, Receipt, Waiting
from tests.contract.ledger_contract import (
    DE,
    DUBLIN,
    DUBLIN_2,
    IE,
    POSTS,
    line,
    piece_id,
    receipt,
)

_Parcel: TypeAlias = tuple[SliceId, Ordinal, RegionName, SiteName]
_Group: TypeAlias = tuple[BatchName, Reason, RegionName | None]
_Answer = TypeVar("_Answer")
_PIECES = [piece_id(number) for number in range(3)]
_rows = st.integers(0, 2)
_names = st.sampled_from(["a/1", "a/2"])
_verdicts = st.sampled_from(list(Verdict))
_overs = st.sampled_from([None, "v1", "v2"])
_fates = st.sampled_from(["replaced"] * 4 + ["left alone"] * 4 + ["forgotten"])
_reasons = st.sampled_from([Reason.ORPHAN, Reason.MALFORMED])


@st.composite
def _waiting(draw: st.DrawFn) -> tuple[Waiting, ...]:
    found: dict[tuple[Reason, RegionName | None], Waiting] = {}
    for reason in draw(st.lists(_reasons, max_size=2)):
        region = draw(st.sampled_from([None, IE]))
        places = tuple(sorted(draw(st.sets(st.integers(0, 2), max_size=2))))
        rows = len(places) if draw(st.integers(0, 3)) else 0  # None waits: all were released.
        found[reason, region] = Waiting(reason=reason, region=region, rows=rows, positions=places)
    return tuple(found.values())


@st.composite
def _receipts(draw: st.DrawFn) -> Receipt:
    """Few batches, few regions, few rows: so that receipts meet. Some do not balance."""
    census = {IE: draw(_rows), DE: draw(_rows)}
    places = draw(st.lists(st.sampled_from([(r, s) for r in census for s in (DUBLIN, DUBLIN_2)])))
    lines: list[Line] = [
        line(region, census[region], site, draw(st.integers(0, 2)))
        for region, site in dict.fromkeys(places)
    ]
    made = receipt(
        draw(st.integers(0, 1)),
        *lines,
        version=draw(st.sampled_from(["v1", "v2"])),
        census=census,
        waiting=draw(_waiting()),
        erased=draw(st.integers(0, 1)),
    )
    return replace(
        made,
        read=max(made.read, draw(st.sampled_from([4, 4, 4, 5]))),
        superseded=max(0, 4 - made.read),
        decisions=draw(st.sampled_from(["x", "x", "x", "y"])),
    )


class TwoLedgers(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model = MemoryLedger()
        self.real = self.opened()
        self.leases: list[Lease] = []
        self.parcels: dict[_Parcel, int] = {}
        self.owed = 0
        self.decided: dict[_Group, set[tuple[Verdict, tuple[int, ...]]]] = {}

    def opened(self) -> SqlLedger:
        """Return an empty ledger."""
        return open_ledger(f"sqlite:///{self.folder}/l.db", create=True)

    def teardown(self) -> None:
        self.real.close()
        shutil.rmtree(self.folder)

    def same(self, ask: Callable[[Ledger], _Answer]) -> _Answer | str:
        """Ask both the same; their answers, or their refusals, must be equal."""
        answers = [_answer(ask, ledger) for ledger in (self.model, self.real)]
        assert answers[0] == answers[1]
        return answers[0]

    @rule(name=_names, holder=st.sampled_from(["me", "you"]), steal=st.booleans())
    def take(self, name: str, holder: str, *, steal: bool) -> None:
        seen = self.model.look(name)
        expect = (seen[1], seen[2]) if seen is not None and steal else None
        lease = self.same(lambda ledger: ledger.take(name, holder, expect))
        if isinstance(lease, Lease):
            self.leases.append(lease)

    @rule(names=st.lists(_names, max_size=2), holder=st.sampled_from(["me", "you"]))
    def claim(self, names: list[str], holder: str) -> None:
        lease = self.same(lambda ledger: ledger.claim(names, holder))
        if isinstance(lease, Lease):
            self.leases.append(lease)

    @precondition(lambda self: bool(self.leases))
    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        self.same(lambda ledger: ledger.beat(lease))

    @precondition(lambda self: bool(self.leases))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        self.same(lambda ledger: ledger.release(lease))

    @precondition(lambda self: bool(self.leases))
    @rule(data=st.data(), made=_receipts(), over=_overs, again=st.booleans())
    def commit(self, data: st.DataObject, made: Receipt, over: str | None, *, again: bool) -> None:
        lease = data.draw(st.sampled_from(self.leases[-2:]))
        entry = f"{made.batch} {made.moved}".encode()
        for _ in range(1 + again):
            self.same(lambda ledger: ledger.commit(made, lease, [entry], over))

    @precondition(lambda self: bool(self.leases and self.model.committed(_PIECES)))
    @rule(data=st.data(), site=st.sampled_from([DUBLIN, DUBLIN_2]))
    def add_lines(self, data: st.DataObject, site: str) -> None:
        """Commit what stands with more lines, or with one replaced: what engines do."""
        stored = data.draw(st.sampled_from(list(self.model.receipts())))
        where = data.draw(st.sampled_from([IE, DE]))
        old = next((x for x in stored.lines if (x.region, x.site) == (where, site)), None)
        new = line(where, stored.census[where], DUBLIN if site == DUBLIN else DUBLIN_2)
        new = new if old is None else replace(old, replaced=old.replaced + 1)
        made = replace(stored, lines=(*(x for x in stored.lines if x != old), new))
        self.same(lambda ledger: ledger.commit(made, self.leases[-1], [b"more"]))

    @precondition(lambda self: bool(self.leases and self.model.committed(_PIECES)))
    @rule(data=st.data(), made=_receipts(), version=st.sampled_from(["v1", "v2", "v3"]))
    def change_source(self, data: st.DataObject, made: Receipt, version: str) -> None:
        """Commit a batch at another version: its parcels replaced, left alone, or forgotten."""
        stored = data.draw(st.sampled_from(list(self.model.receipts())))
        found = [_next(old, made.census[old.region], data.draw(_fates)) for old in stored.lines]
        lines = tuple(each for each in found if each is not None)
        batch = replace(stored.batch, version=version)
        self.same(
            lambda ledger: ledger.commit(
                replace(made, batch=batch, lines=lines),
                self.leases[-1],
                [f"{batch} {lines}".encode()],
                stored.batch.version,
            )
        )

    @rule(made=_receipts())
    def reopen(self, made: Receipt) -> None:
        self.same(lambda ledger: ledger.reopen([made.batch]))

    @precondition(lambda self: any(True for _ in self.model.waiting()))
    @rule(data=st.data(), verdict=_verdicts)
    def decide(self, data: st.DataObject, verdict: Verdict) -> None:
        place = data.draw(st.integers(0, len(list(self.model.waiting())) - 1))
        entry = list(self.model.waiting())[place]
        self.decided.setdefault(_group(entry), set()).add((verdict, entry.positions))
        self.same(
            lambda ledger: ledger.decide([list(ledger.waiting())[place].id], verdict, "ada", "so")
        )

    @rule(reason=_reasons, verdict=_verdicts)
    def make_rule(self, reason: Reason, verdict: Verdict) -> None:
        self.same(lambda ledger: ledger.rule(POSTS, reason, verdict, "ada"))

    @invariant()
    def both_tell_the_same(self) -> None:
        self.same(lambda ledger: list(ledger.receipts()))
        self.same(lambda ledger: list(ledger.receipts(POSTS, IE)))
        self.same(lambda ledger: ledger.committed(_PIECES))
        self.same(lambda ledger: ledger.reopened(_PIECES))
        self.same(lambda ledger: [_unnumbered(entry) for entry in ledger.waiting()])
        self.same(lambda ledger: ledger.rules())
        self.same(lambda ledger: ledger.moved())
        self.same(lambda ledger: ledger.accounts())
        self.same(lambda ledger: [entry for _, entry in ledger.entries(0, 100)])
        self.same(lambda ledger: [ledger.look(name) for name in ("a/1", "a/2")])

    @invariant()
    def a_decision_by_number_is_about_nothing_else(self) -> None:
        for entry in self.real.waiting():
            if entry.why == "so":
                seen = self.decided[_group(entry)]
                assert any(
                    verdict is entry.verdict and set(entry.positions) <= set(positions)
                    for verdict, positions in seen
                )

    @invariant()
    def of_each_batch_one_version_stands(self) -> None:
        for ledger in (self.model, self.real):
            places = [(r.batch.slice, r.batch.ordinal) for r in ledger.receipts()]
            assert len(places) == len(set(places))
            standing = {found.batch for found in ledger.receipts()}
            assert {entry.batch for entry in ledger.waiting()} <= standing
            assert ledger.reopened(_PIECES) <= standing

    @invariant()
    def no_parcel_is_ever_forgotten(self) -> None:
        """Every parcel that a receipt ever named is named, and its replacements only grow."""
        for ledger in (self.model, self.real):
            now = _parcels(ledger)
            steps = [now.get(place, -1) - count for place, count in self.parcels.items()]
            assert set(steps) <= {0, 1}
        self.parcels = _parcels(self.model)

    @invariant()
    def what_the_journal_is_owed_stays(self) -> None:
        counts = {len(ledger.entries(0, 1000)) for ledger in (self.model, self.real)}
        assert min(counts) >= self.owed
        self.owed = min(counts)

    @invariant()
    def everything_that_stands_balances(self) -> None:
        for stored in self.real.receipts():
            assert stored.checked() is stored


def _answer(ask: Callable[[Ledger], _Answer], ledger: Ledger) -> _Answer | str:
    try:
        return ask(ledger)
    except (FenceLost, Unbalanced) as error:
        return str(error)


def _next(old: Line, rows: int, fate: str) -> Line | None:
    """Return what becomes of a parcel when its source changes; None where it is forgotten."""
    if fate == "forgotten":
        return None
    if fate == "left alone" and rows == old.rows:
        return old
    return line(old.region, rows, old.site, old.replaced + 1)


def _group(entry: Quarantined) -> _Group:
    return entry.batch, entry.reason, entry.region


def _parcels(ledger: Ledger) -> dict[_Parcel, int]:
    """Return every parcel that a receipt names, and how often it was replaced."""
    return {
        (made.batch.slice, made.batch.ordinal, each.region, each.site): each.replaced
        for made in ledger.receipts()
        for each in made.lines
    }


def _unnumbered(entry: Quarantined) -> Quarantined:
    return replace(entry, id=0)


TestTwoLedgers = TwoLedgers.TestCase
TestTwoLedgers.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
