"""What every ``Ledger`` must do. A new one inherits this and adds a fixture."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from repatria.batch import Reason
from repatria.errors import FenceLost, PlanRefused, Unbalanced
from repatria.names import DatasetName, PlanDigest, RegionName, RunId, SiteName, SliceId
from repatria.plan import Plan, Stripe
from repatria.ports.leases import Leases
from repatria.ports.ledger import Comparison, Failure, FailureKind, Ledger, Run, RunState, Verdict
from repatria.ports.totals import Progress
from repatria.receipt import ELSEWHERE, BatchName, Line, Receipt, Waiting
from repatria.slice import ByteRange, RowGroups, Slice
from repatria.stored import ObjectVersion

POSTS, LOGINS = DatasetName("posts"), DatasetName("logins")
IE, DE, NO = RegionName("IE"), RegionName("DE"), RegionName("NO")
US, DUBLIN, DUBLIN_2 = SiteName("us-east"), SiteName("dublin-1"), SiteName("dublin-2")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def piece_id(number: int) -> SliceId:
    return SliceId(f"{number:032x}")


def line(region: RegionName, rows: int, site: SiteName = DUBLIN, replaced: int = 0) -> Line:
    return Line(
        region=region,
        site=site,
        rows=rows,
        object=ObjectVersion(f"posts/region={region}/ü \udcff+%.gz", rows * 10, "etag", "v1"),
        sha256="ab" * 32,
        digest=f"{rows}:cd",
        replaced=replaced,
    )


def waits(
    reason: Reason, *positions: int, region: RegionName | None = None, kept: bool = False
) -> Waiting:
    return Waiting(
        reason=reason,
        region=region,
        rows=len(positions),
        positions=positions,
        site=DUBLIN if kept else None,
        kept=ObjectVersion("_repatria/quarantine/x", 3, "e", None) if kept else None,
    )


def receipt(
    slice_number: int = 1,
    *lines: Line,
    ordinal: int = 0,
    version: str = "v1",
    dataset: DatasetName = POSTS,
    census: dict[RegionName, int] | None = None,
    waiting: tuple[Waiting, ...] = (),
    erased: int = 0,
    superseded: int = 0,
    label: str = "posts/1.gz",
) -> Receipt:
    moved = {found.region: found.rows for found in lines}
    counted = {ELSEWHERE: 5, **moved} if census is None else census
    left = sum(entry.rows for entry in waiting)
    return Receipt(
        batch=BatchName(piece_id(slice_number), ordinal, version),
        dataset=dataset,
        site=US,
        last=True,
        read=sum(counted.values()) + left + erased + superseded,
        census=counted,
        erased=erased,
        superseded=superseded,
        waiting=waiting,
        lines=lines,
        decisions="ef" * 32,
        bytes_read=1000,
        label=label,
    )


def stripe(number: int, slices: int = 2) -> Stripe:
    return Stripe(
        number=number,
        dataset=POSTS,
        slices=tuple(
            Slice(
                id=piece_id(number * 1000 + at),
                dataset=POSTS,
                site=US,
                object=ObjectVersion(f"raw/posts/{at}.gz", 100 + at, f"e{at}", f"v{at}"),
                relative=f"{at}.gz",
                label=(f"{at}.gz", f"raw/posts/{at}.gz", "else")[at % 3],
                cut=(RowGroups(0, 4), ByteRange(5, 99))[at % 2],
                number=at,
            )
            for at in range(slices)
        ),
    )


def plan(digest: str = "a" * 64, stripes: int = 2, slices: int = 4) -> Plan:
    return Plan(
        digest=PlanDigest(digest),
        config_digest="c" * 64,
        datasets=(POSTS, LOGINS),
        regions=(IE, DE),
        directories={POSTS: "d" * 64},
        reconciled={LOGINS: "e" * 64},
        stripe_count=stripes,
        slice_count=slices,
        bytes=406,
        made_at=NOON,
        expires_at=NOON + timedelta(days=7),
        estimates={"rows": 12, "cost": {"EUR": 1.5}},
    )


def held(ledger: Leases, name: str = "a/1") -> Callable[[Receipt], None]:
    """Return a commit under a lease of its own, over whatever stands."""
    lease = ledger.take(name, "me", None)
    assert lease is not None
    commit = ledger.commit  # type: ignore[attr-defined]
    return lambda each: commit(
        each, lease, [f"entry of {each.batch}".encode()], standing(ledger, each.batch)
    )


def standing(ledger: Any, batch: BatchName) -> str | None:
    """Return the version of ``batch`` that stands."""
    found = (name for name in ledger.committed([batch.slice]) if name.ordinal == batch.ordinal)
    return next((name.version for name in found), None)


class LedgerContract(ABC):
    @pytest.fixture
    @abstractmethod
    def ledger(self) -> Ledger:
        """Return an empty ledger."""

    # Plans.

    def test_a_plan_is_found_again_whole_with_its_stripes_in_order(self, ledger: Ledger) -> None:
        ledger.save_plan(plan(), iter([stripe(0), stripe(1)]))
        assert ledger.plan() == plan()
        assert list(ledger.stripes(plan().digest)) == [stripe(0), stripe(1)]
        assert ledger.stripe(plan().digest, 1) == stripe(1)

    def test_a_plan_whose_stripes_are_not_all_there_is_never_seen(self, ledger: Ledger) -> None:
        with pytest.raises(Unbalanced):
            ledger.save_plan(plan(), iter([stripe(0)]))
        with pytest.raises(Unbalanced):
            ledger.save_plan(plan(), iter([stripe(0), stripe(1, slices=3)]))
        assert ledger.plan() is None
        ledger.save_plan(plan(), iter([stripe(0), stripe(1)]))
        assert list(ledger.stripes(plan().digest)) == [stripe(0), stripe(1)]

    def test_the_same_plan_again_has_its_dates_renewed_and_is_the_newest(
        self, ledger: Ledger
    ) -> None:
        later = replace(plan(), made_at=NOON + timedelta(days=1), estimates={"rows": 1})
        other = plan("b" * 64, stripes=0, slices=0)
        ledger.save_plan(plan(), [stripe(0), stripe(1)])
        ledger.save_plan(other, [])
        assert ledger.plan() == other
        ledger.save_plan(later, [])
        assert ledger.plans() == [later, other]
        assert len(list(ledger.stripes(plan().digest))) == 2

    def test_the_beginning_of_a_digest_names_a_plan_if_it_is_unique(self, ledger: Ledger) -> None:
        one, two = (plan("abcdef12" + end * 56, stripes=0, slices=0) for end in "01")
        ledger.save_plan(one, [])
        ledger.save_plan(two, [])
        assert ledger.plan(PlanDigest("abcdef121")) == two
        assert ledger.plan(one.digest) == one
        assert ledger.plan(PlanDigest("abcdef13")) is None
        assert ledger.plan(PlanDigest("________")) is None
        for doubtful in ("abcdef12", "abcdef1", ""):
            with pytest.raises(PlanRefused):
                ledger.plan(PlanDigest(doubtful))

    def test_a_stripe_that_is_not_there_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises(PlanRefused):
            ledger.stripe(plan().digest, 0)
        assert list(ledger.stripes(plan().digest)) == []

    def test_a_cutting_is_fixed_by_the_first_receipt(self, ledger: Ledger) -> None:
        assert [ledger.fix_cutting(POSTS, text) for text in ("one", "two")] == ["one", "two"]
        lease = ledger.take("a/1", "me", None)
        assert lease is not None
        ledger.commit(receipt(1), lease, [])
        assert [ledger.fix_cutting(of, "three") for of in (POSTS, LOGINS)] == ["two", "three"]

    def test_a_configuration_is_kept_under_its_digest(self, ledger: Ledger) -> None:
        ledger.save_config("d", "text")
        ledger.save_config("d", "text")
        assert ledger.config_text("d") == "text"
        assert ledger.config_text("e") is None

    # Leases.

    def test_a_held_lease_is_not_given_twice(self, ledger: Ledger) -> None:
        lease = ledger.take("a/1", "me", None)
        assert lease is not None
        assert ledger.look("a/1") == ("me", lease.fence, 0)
        assert ledger.take("a/1", "you", None) is None
        ledger.beat(lease)
        assert ledger.take("a/1", "you", (lease.fence, 0)) is None

    def test_a_lease_whose_beat_stood_still_is_taken_over_with_a_newer_fence(
        self, ledger: Ledger
    ) -> None:
        old = ledger.take("a/1", "me", None)
        assert old is not None
        ledger.beat(old)
        new = ledger.take("a/1", "you", (old.fence, 1))
        assert new is not None
        assert new.fence > old.fence
        assert ledger.look("a/1") == ("you", new.fence, 0)
        with pytest.raises(FenceLost):
            ledger.beat(old)
        ledger.release(old)
        ledger.beat(new)

    def test_fences_grow_across_releases(self, ledger: Ledger) -> None:
        assert ledger.look("a/1") is None
        one = ledger.take("a/1", "me", None)
        assert one is not None
        ledger.release(one)
        assert ledger.look("a/1") is None
        with pytest.raises(FenceLost):
            ledger.commit(receipt(), one, [])
        two = ledger.take("a/1", "me", None)
        assert two is not None
        assert two.fence > one.fence
        with pytest.raises(FenceLost):
            ledger.commit(receipt(), one, [])

    # Receipts.

    def test_a_receipt_is_found_again_as_it_was(self, ledger: Ledger) -> None:
        whole = receipt(
            1,
            line(IE, 3),
            line(IE, 3, DUBLIN_2),
            replace(line(DE, 2), merkle="ef" * 32),
            waiting=(waits(Reason.ORPHAN, 7, 3, region=DE, kept=True), waits(Reason.MALFORMED, 2)),
            erased=4,
            superseded=1,
        )
        held(ledger)(whole)
        assert ledger.committed([piece_id(1), piece_id(2)]) == {whole.batch: whole}

    def test_committing_twice_changes_nothing(self, ledger: Ledger) -> None:
        whole = receipt(1, line(IE, 3), waiting=(waits(Reason.ORPHAN, 1),))
        commit = held(ledger)
        commit(whole)
        before = list(ledger.waiting())
        commit(whole)
        assert ledger.committed([piece_id(1)]) == {whole.batch: whole}
        assert list(ledger.waiting()) == before
        assert len(ledger.entries(0, 10)) == 1

    def test_a_lost_fence_commits_nothing(self, ledger: Ledger) -> None:
        old = ledger.take("a/1", "me", None)
        assert old is not None
        ledger.take("a/1", "you", (old.fence, 0))
        for lease in (old, replace(old, name="b/9"), replace(old, fence=old.fence + 7)):
            with pytest.raises(FenceLost):
                ledger.commit(receipt(), lease, [b"entry"])
        with pytest.raises(FenceLost):
            ledger.finish_stripe(plan().digest, 1, old)
        assert list(ledger.receipts()) == []
        assert ledger.entries(0, 10) == []
        assert ledger.stripes_done(plan().digest) == frozenset()

    def test_what_does_not_balance_is_not_committed(self, ledger: Ledger) -> None:
        with pytest.raises(Unbalanced):
            held(ledger)(replace(receipt(1, line(IE, 3)), read=99))
        assert list(ledger.receipts()) == []
        assert ledger.entries(0, 10) == []

    def test_lines_for_another_region_leave_committed_lines_alone(self, ledger: Ledger) -> None:
        commit = held(ledger)
        census = {IE: 3, DE: 2, ELSEWHERE: 1}
        commit(receipt(1, line(IE, 3), census=census))
        moved_again = replace(line(IE, 3), sha256="00" * 32)
        commit(receipt(1, moved_again, line(DE, 2), census=census))
        assert list(ledger.receipts()) == [receipt(1, line(IE, 3), line(DE, 2), census=census)]

    def test_a_line_is_replaced_only_by_the_next_one(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(receipt(1, line(IE, 3)))
        commit(receipt(1, line(IE, 3, replaced=1)))
        assert list(ledger.receipts()) == [receipt(1, line(IE, 3, replaced=1))]
        for replaced in (0, 3):
            with pytest.raises(Unbalanced):
                commit(receipt(1, line(IE, 3, replaced=replaced)))
        assert list(ledger.receipts()) == [receipt(1, line(IE, 3, replaced=1))]

    def test_an_account_changes_only_after_the_batch_is_opened_again(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(receipt(1, line(IE, 3), waiting=(waits(Reason.UNKNOWN_USER, 4),)))
        after = receipt(1, line(IE, 4, replaced=1))
        with pytest.raises(Unbalanced):
            commit(after)
        assert ledger.reopen([after.batch, after.batch, BatchName(piece_id(9), 0, "v")]) == 1
        assert ledger.reopened([piece_id(1), piece_id(9)]) == {after.batch}
        commit(after)
        assert list(ledger.receipts()) == [after]
        assert ledger.reopened([piece_id(1)]) == frozenset()
        assert list(ledger.waiting()) == []

    def test_receipts_come_in_order_and_whole_whatever_is_asked_for(self, ledger: Ledger) -> None:
        commit = held(ledger)
        named = [(3, 0, "v1"), (1, 10, "v1"), (1, 9, "v2"), (2, 1, "Z"), (2, 0, "é"), (1, 0, "v1")]
        for number, ordinal, version in named:
            where = DE if number == 2 else IE
            what = LOGINS if number == 3 else POSTS
            lines = (line(where, 1), line(NO, 2))
            commit(receipt(number, *lines, ordinal=ordinal, version=version, dataset=what))

        def told(**wanted: str) -> list[tuple[int, int, str]]:
            found = ledger.receipts(**wanted)  # type: ignore[arg-type]
            assert all(len(each.lines) == 2 for each in ledger.receipts())
            return [(int(b.slice, 16), b.ordinal, b.version) for b in (r.batch for r in found)]

        assert told() == sorted(named)
        assert told(dataset=LOGINS) == [(3, 0, "v1")]
        assert told(region=DE) == [(2, 0, "é"), (2, 1, "Z")]
        assert told(dataset=LOGINS, region=DE) == []

    def test_long_lists_are_read_in_pages(self, ledger: Ledger) -> None:
        commit = held(ledger)
        for number in range(1, 1203):
            commit(receipt(number, waiting=(waits(Reason.ORPHAN, number),)))
        pieces = [piece_id(number) for number in range(2000)]
        assert len(ledger.committed(pieces)) == 1202
        assert [int(r.batch.slice, 16) for r in ledger.receipts()] == list(range(1, 1203))
        assert sum(entry.rows for entry in ledger.waiting()) == 1202
        assert ledger.reopen([BatchName(piece, 0, "v1") for piece in pieces]) == 1202
        assert len(ledger.reopened(pieces)) == 1202

    def test_the_ledger_can_be_written_while_it_is_listed(self, ledger: Ledger) -> None:
        commit = held(ledger)
        for number in range(1, 4):
            commit(receipt(number, waiting=(waits(Reason.ORPHAN, number),)))
        for found in ledger.receipts():
            ledger.reopen([found.batch])
        for entry in ledger.waiting():
            ledger.decide([entry.id], Verdict.DROP, "ada", "given up")
        assert [entry.verdict for entry in ledger.waiting()] == [Verdict.DROP] * 3

    def test_entries_are_taken_in_order_under_growing_numbers(self, ledger: Ledger) -> None:
        lease = ledger.take("a/1", "me", None)
        assert lease is not None
        ledger.commit(receipt(1), lease, [b"one", b"two"])
        ledger.commit(receipt(2), lease, [b"two", b"three"])
        found = ledger.entries(0, 10)
        assert [entry for _, entry in found] == [b"one", b"two", b"three"]
        assert ledger.entries(found[0][0], 1) == [found[1]]
        assert ledger.entries(found[2][0], 5) == []

    # Quarantine.

    def test_an_entry_tells_where_its_records_are(self, ledger: Ledger) -> None:
        waiting = (waits(Reason.ORPHAN, 9, 4, region=IE, kept=True), waits(Reason.MALFORMED, 1))
        held(ledger)(receipt(1, waiting=waiting))
        orphan, bad = ledger.waiting()
        assert (orphan.batch, orphan.dataset, orphan.site) == (receipt(1).batch, POSTS, US)
        assert (orphan.label, orphan.reason, orphan.region) == ("posts/1.gz", Reason.ORPHAN, IE)
        assert (orphan.rows, orphan.positions, orphan.verdict) == (2, (9, 4), Verdict.OPEN)
        assert (orphan.kept_site, orphan.kept) == (DUBLIN, waiting[0].kept)
        assert (bad.region, bad.kept_site, bad.kept) == (None, None, None)
        assert ledger.entry(orphan.id) == orphan
        assert ledger.entry(bad.id + 1000) is None
        assert list(ledger.waiting(LOGINS)) == []

    def test_without_a_label_an_entry_is_named_by_its_slice(self, ledger: Ledger) -> None:
        held(ledger)(receipt(1, waiting=(waits(Reason.ORPHAN, 1),), label=""))
        assert [entry.label for entry in ledger.waiting()] == [piece_id(1)]

    def test_releasing_opens_the_batch_and_dropping_does_not(self, ledger: Ledger) -> None:
        commit = held(ledger)
        for number in (1, 2):
            commit(receipt(number, waiting=(waits(Reason.ORPHAN, 1),)))
        one, two = ledger.waiting()
        both = [piece_id(1), piece_id(2)]
        assert ledger.decide([one.id, one.id, 999], Verdict.DROP, "ada", "a test") == 1
        assert ledger.reopened(both) == frozenset()
        assert ledger.decide([one.id, two.id], Verdict.RELEASE, "ada", "known user") == 2
        assert ledger.reopened(both) == {one.batch, two.batch}
        assert ledger.decide([one.id], Verdict.RELEASE, "bob", "again") == 0
        released = list(ledger.waiting(verdict=Verdict.RELEASE))
        assert [(e.by, e.why) for e in released] == [("ada", "known user")] * 2

    def test_taking_a_release_back_opens_the_batch_too(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(receipt(1, waiting=(waits(Reason.ORPHAN, 1),)))
        (entry,) = ledger.waiting()
        ledger.decide([entry.id], Verdict.RELEASE, "ada", "")
        empty = Waiting(reason=Reason.ORPHAN, region=None, rows=0, positions=(1,))
        commit(receipt(1, line(IE, 1), waiting=(empty,)))
        assert ledger.reopened([piece_id(1)]) == frozenset()
        assert ledger.entry(entry.id) == replace(
            entry, rows=0, verdict=Verdict.RELEASE, by="ada", why=""
        )
        ledger.decide([entry.id], Verdict.DROP, "bob", "no")
        assert ledger.reopened([piece_id(1)]) == {entry.batch}

    def test_a_verdict_outlives_the_receipt_it_was_about(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(receipt(1, waiting=(waits(Reason.ORPHAN, 1, 2), waits(Reason.CONFLICT, 5))))
        orphan, conflict = ledger.waiting()
        ledger.decide([orphan.id], Verdict.DROP, "ada", "gone")
        ledger.reopen([orphan.batch])
        commit(receipt(1, line(IE, 1), waiting=(waits(Reason.ORPHAN, 1, 2),)))
        assert list(ledger.waiting()) == [
            replace(orphan, verdict=Verdict.DROP, by="ada", why="gone")
        ]
        assert ledger.entry(conflict.id) is None

    def test_a_release_is_not_lost_to_a_commit_that_crossed_it(self, ledger: Ledger) -> None:
        commit = held(ledger)
        before = receipt(1, waiting=(waits(Reason.ORPHAN, 1),))
        commit(before)
        (entry,) = ledger.waiting()
        ledger.decide([entry.id], Verdict.RELEASE, "ada", "")
        commit(before)
        assert ledger.reopened([piece_id(1)]) == {entry.batch}

    def test_a_rule_decides_what_waits_and_what_comes_later(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(receipt(1, waiting=(waits(Reason.ORPHAN, 1), waits(Reason.CONFLICT, 2))))
        commit(receipt(2, waiting=(waits(Reason.ORPHAN, 1),), dataset=LOGINS))
        ledger.rule(POSTS, Reason.ORPHAN, Verdict.DROP, "ada")
        ledger.rule(POSTS, Reason.CONFLICT, Verdict.RELEASE, "ada")
        commit(receipt(3, waiting=(waits(Reason.ORPHAN, 1),)))
        told = [(int(e.batch.slice, 16), e.reason, e.verdict, e.by) for e in ledger.waiting()]
        assert told == [
            (1, Reason.ORPHAN, Verdict.DROP, "ada"),
            (1, Reason.CONFLICT, Verdict.RELEASE, "ada"),
            (2, Reason.ORPHAN, Verdict.OPEN, None),
            (3, Reason.ORPHAN, Verdict.DROP, "ada"),
        ]
        assert ledger.reopened([piece_id(1), piece_id(3)]) == {receipt(1).batch}
        ledger.rule(POSTS, Reason.ORPHAN, Verdict.OPEN, "bob")
        assert ledger.rules() == {(POSTS, Reason.CONFLICT): Verdict.RELEASE}

    # Failures, runs, comparisons, totals.

    def test_attempts_are_counted_until_the_slice_is_finished(self, ledger: Ledger) -> None:
        assert [ledger.attempt(piece_id(1), "v1") for _ in range(3)] == [1, 2, 3]
        assert ledger.attempt(piece_id(1), "v2") == 1
        assert ledger.failures() == []
        ledger.finished(piece_id(1), "v1")
        ledger.finished(piece_id(1), "v1")
        assert ledger.attempt(piece_id(1), "v1") == 1

    def test_a_failure_keeps_the_attempts_that_were_counted(self, ledger: Ledger) -> None:
        failure = Failure(
            slice=piece_id(1),
            version="v1",
            dataset=POSTS,
            site=US,
            label="1.gz",
            kind=FailureKind.BAD,
            why="truncated",
        )
        ledger.failed(failure)
        assert ledger.failures() == [failure]
        ledger.attempt(piece_id(1), "v1")
        ledger.failed(replace(failure, kind=FailureKind.STALE))
        assert ledger.failures() == [replace(failure, kind=FailureKind.STALE, attempts=2)]
        ledger.finished(piece_id(1), "v1")
        assert ledger.failures() == []

    def test_runs_come_newest_first_and_say_how_they_ended(self, ledger: Ledger) -> None:
        east = timezone(timedelta(hours=9))
        runs = [
            Run(
                id=RunId(f"run-{n}"),
                verb="migrate",
                mode="live",
                plan=plan().digest if n else None,
                config_digest="c",
                began_at=NOON.astimezone(east) - timedelta(hours=n),
                summary={"read": n},
            )
            for n in range(3)
        ]
        for run in (*runs, runs[0]):
            ledger.begin(run)
        assert ledger.runs() == [runs[2], runs[1], runs[0]]
        ledger.end(runs[1].id, RunState.INCOMPLETE, NOON, {"moved": 3})
        ended = replace(runs[1], state=RunState.INCOMPLETE, ended_at=NOON, summary={"moved": 3})
        assert ledger.runs(limit=2) == [runs[2], ended]

    def test_a_verification_is_carried_on_where_it_was(self, ledger: Ledger) -> None:
        found = [
            Comparison(
                batch=receipt(n).batch, dataset=POSTS, region=where, matched=n, extra=1, why="new"
            )
            for n in (2, 1)
            for where in (IE, DE)
        ]
        ledger.save_comparisons(RunId("a"), found)
        ledger.save_comparisons(RunId("a"), [replace(found[0], missing=4)])
        ledger.save_comparisons(RunId("b"), [])
        assert ledger.compared(RunId("a"), [piece_id(2)]) == {
            (receipt(2).batch, IE),
            (receipt(2).batch, DE),
        }
        assert list(ledger.comparisons(RunId("a"))) == [
            found[3],
            found[2],
            found[1],
            replace(found[0], missing=4),
        ]
        assert list(ledger.comparisons(RunId("b"))) == []

    def test_totals_count_a_region_once_however_many_sites_hold_it(self, ledger: Ledger) -> None:
        commit = held(ledger)
        commit(receipt(1, line(IE, 3), line(IE, 3, DUBLIN_2), erased=2))
        commit(receipt(2, line(IE, 4), line(DE, 1), waiting=(waits(Reason.ORPHAN, 1),)))
        commit(receipt(3, line(IE, 1), dataset=LOGINS, superseded=6))
        assert ledger.moved() == [
            Progress(dataset=LOGINS, region=IE, batches=1, rows=1, bytes=10),
            Progress(dataset=POSTS, region=DE, batches=1, rows=1, bytes=10),
            Progress(dataset=POSTS, region=IE, batches=2, rows=7, bytes=70),
        ]
        names = ("batches", "read", "erased", "quarantined", "superseded", "bytes")
        assert ledger.accounts() == {
            LOGINS: dict(zip(names, (1, 12, 0, 0, 6, 1000), strict=True)),
            POSTS: dict(zip(names, (2, 21, 2, 1, 0, 2000), strict=True)),
        }

    def test_a_finished_stripe_is_remembered_per_plan(self, ledger: Ledger) -> None:
        lease = ledger.take("a/1", "me", None)
        assert lease is not None
        for number in (1, 4, 1):
            ledger.finish_stripe(plan().digest, number, lease)
        assert ledger.stripes_done(plan().digest) == {1, 4}
        assert ledger.stripes_done(PlanDigest("b" * 64)) == frozenset()

    def test_several_threads_lose_nothing(self, ledger: Ledger) -> None:
        failed: list[BaseException] = []

        def work(worker: int) -> None:
            try:
                commit = held(ledger, f"a/{worker}")
                for number in range(20):
                    commit(receipt(worker * 100 + number, line(IE, 1)))
                    ledger.attempt(piece_id(1), "v")
                    list(ledger.receipts())
            except BaseException as error:  # noqa: BLE001  Told to the test below.
                failed.append(error)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert ledger.moved()[0].rows == 80
        assert len(ledger.entries(0, 100)) == 80
        assert ledger.attempt(piece_id(1), "v") == 81

    def test_one_of_many_threads_gets_a_lease(self, ledger: Ledger) -> None:
        start = threading.Barrier(6)
        taken: list[object] = []

        def work() -> None:
            start.wait()
            taken.append(ledger.take("a/1", "me", None))

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(lease is not None for lease in taken) == 1
