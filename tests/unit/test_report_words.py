"""Figures and words: what people read is right, and nothing is left unexplained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.report import numbers
from flows.report.facts import QuarantineFacts
from flows.report.numbers import NOTHING, THIN, count, duration, share, size, span
from flows.report.outcome import Narrowed, Outcome
from flows.report.reasons import OBJECTS, RECORDS, RELEASABLE
from flows.report.story import headline, next_step, points
from flows.report.verification import Compared, VerifyOutcome
from flows.report.verification import points as verify_points
from repatria.batch import Reason
from repatria.ports.ledger import FailureKind

OUTCOME = Outcome(
    verb="migrate",
    mode="live",
    run="r",
    plan="p" * 64,
    state="complete",
    exit_code=0,
    seconds=2.0,
    tally={"read": 10, "moved": 4, "bytes_read": 100, "batches": 1, "done": 1, "failed": 0},
    accounts={},
    moved=(),
    quarantine=(),
    failures=(),
    audit={"unfinished": 0, "new": 0, "changed": 0, "gone": 0},
)


def waits(reason: str, rows: int) -> QuarantineFacts:
    return {"dataset": "posts", "reason": reason, "region": "IE", "rows": rows}


@pytest.mark.parametrize(
    ("octets", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456_789, "123 MB"), (10**21, "1000 EB")],
)
def test_sizes(octets: int, told: str) -> None:
    assert size(octets) == told.replace(" ", THIN)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.25, "0.2 s"), (59.6, "1 min"), (61, "1 min_1 s"), (3600, "1 h"), (90_000, "1 d_1 h")],
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told.replace(" ", THIN).replace("_", " ")


@given(st.integers(min_value=0, max_value=10**18))
def test_a_number_keeps_its_digits(number: int) -> None:
    assert count(number).replace(THIN, "") == str(number)


@given(st.integers(min_value=1, max_value=10**12), st.integers(min_value=1, max_value=10**12))
def test_only_the_whole_is_a_hundred_per_cent(part: int, more: int) -> None:
    assert not share(part, part + more).startswith("100")
    assert share(part, part).startswith("100")


def test_what_is_not_known_is_no_zero() -> None:
    unknown = [count(None), size(None), duration(None), share(1, 0), numbers.rate(None)]
    assert unknown == [NOTHING] * 5
    assert span(3, 3) == "3"


def test_every_reason_and_every_kind_of_failure_is_explained() -> None:
    assert set(RECORDS) == {reason.value for reason in Reason}
    assert set(OBJECTS) == {kind.value for kind in FailureKind}
    assert set(RECORDS) >= RELEASABLE
    assert [it for it in (*RECORDS.values(), *OBJECTS.values()) if not (it.means and it.todo)] == []


def test_a_complete_run_has_nothing_that_waits() -> None:
    assert points(OUTCOME) == []
    assert "balance" in headline(OUTCOME)
    assert next_step(OUTCOME) == "repatria verify"


def test_an_order_for_less_than_the_plan_does_not_claim_all_of_it() -> None:
    found = replace(OUTCOME, narrowed=[Narrowed("regions", ("IE", "NO"), 32)])
    assert headline(found) == (
        "Everything asked for has moved (regions IE, NO; the plan has 32), and the books balance."
    )
    assert next_step(found) == "repatria verify --region IE --region NO"


def test_many_regions_are_counted_after_the_first_few() -> None:
    found = replace(OUTCOME, narrowed=[Narrowed("regions", tuple("abcdefgh"), 32)])
    assert "(regions a, b, c, d, e, f and 2 more; the plan has 32)" in headline(found)


def test_why_something_was_not_compared_stands_with_what_was_not() -> None:
    unread = "profiles, region not known: the source: it is no gzip"
    gone = "profiles, IE: the parcel is gone from dublin"
    missing, unverified, differs = verify_points(verification(unread, gone))
    assert (missing.because, unverified.because) == ((), (unread,))
    assert "could not be compared" in unverified.what
    assert differs.because == (gone,)


def verification(*whys: str) -> VerifyOutcome:
    return VerifyOutcome(
        run="r",
        plan="p",
        exit_code=11,
        seconds=1.0,
        sums=[
            Compared(
                dataset="profiles",
                region="IE",
                matched=1,
                missing=1,
                extra=0,
                altered=0,
                unverified=1,
            )
        ],
        whys=whys,
        strays=0,
        unlisted=0,
        unplanned=0,
        drifted=0,
        waiting=0,
        failures=0,
    )


def test_what_waits_is_told_with_its_reason_and_what_to_do() -> None:
    found = replace(
        OUTCOME,
        state="incomplete",
        quarantine=[waits("orphan", 1), waits("orphan", 2), waits("malformed", 1)],
    )
    first, second = points(found)
    assert first.what.startswith("3 records of posts wait (orphan): each stands in the backup")
    assert second.what.startswith("1 record of posts waits (malformed): it is not a record")
    assert "Release" in first.todo
    assert next_step(found) == "repatria quarantine list"


def test_many_failed_objects_are_counted_after_the_first_few() -> None:
    failure = {"dataset": "d", "site": "s", "kind": "bad", "why": "w"}
    failures: Any = [{**failure, "object": f"o{number}"} for number in range(8)]
    (told,) = points(replace(OUTCOME, failures=failures, audit={**OUTCOME.audit, "unfinished": 8}))
    assert told.names == ("o0", "o1", "o2", "o3", "o4", "and 3 more")


def test_an_unfinished_slice_without_a_failure_is_not_passed_over() -> None:
    (told,) = points(replace(OUTCOME, audit={**OUTCOME.audit, "unfinished": 2}))
    assert "2 slices of the plan without a full set of receipts" in told.what


def test_json_tells_everything_but_the_report_itself() -> None:
    told = OUTCOME.told()
    assert told["rows_per_s"] == 5.0
    assert "facts" not in told
