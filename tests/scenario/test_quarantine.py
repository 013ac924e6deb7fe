"""What waits, what people decide about it, and that each record arrives exactly once in the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connectors.memory.rules import MemoryTombstones
from repatria.batch import Reason
from repatria.names import RegionName
from repatria.ports.ledger import FailureKind, RunState, Verdict
from repatria.receipt import Receipt
from tests.people import DE, IE, PROFILES
from tests.scenario.enclave import Arrivals, Enclave, of_notes
from tests.scenario.written import notes_of, parquet_of


def profiles(**regions: str) -> Arrivals:
    """Return what must stand at home: users (all at version 1) by region, divided by blanks."""
    return Counter(
        {
            ("profiles", RegionName(region), f"{name}@1"): 1
            for region, names in regions.items()
            for name in names.split()
        }
    )


def with_orphans(folder: Path, tombstones: MemoryTombstones | None = None) -> Enclave:
    """Return a world whose backup holds two people that the primary does not."""
    enclave = Enclave(
        folder,
        datasets={PROFILES.name: PROFILES},
        tombstones=tombstones if tombstones is not None else MemoryTombstones(),
    )
    enclave.us.plant("profiles/a.parquet", parquet_of([("i1", "IE", 1), ("g1", "DE", 1)]))
    enclave.singapore.plant(
        "profiles/a.parquet",
        parquet_of([("i1", "IE", 1), ("g1", "DE", 1), ("oi", "IE", 1), ("og", "DE", 1)]),
    )
    return enclave


def balanced(enclave: Enclave) -> list[Receipt]:
    """Return all receipts, each of which adds up; what moved is what stands at home."""
    receipts = [receipt.checked() for receipt in enclave.ledger.receipts()]
    assert sum(receipt.moved for receipt in receipts) == sum(enclave.trusted().values())
    return receipts


def test_orphans_wait_until_somebody_decides(tmp_path: Path) -> None:
    enclave = with_orphans(tmp_path)
    ending = enclave.migrate(enclave.plan())
    assert (ending.state, ending.waiting) == (RunState.INCOMPLETE, 2)
    assert enclave.trusted() == profiles(IE="i1", DE="g1")
    entries = list(enclave.ledger.waiting())
    assert {(entry.reason, entry.region) for entry in entries} == {
        (Reason.ORPHAN, "IE"),
        (Reason.ORPHAN, "DE"),
    }
    assert all(entry.kept is not None for entry in entries), "kept where the law allows it"
    assert sum(receipt.quarantined for receipt in balanced(enclave)) == 2


def test_one_entry_is_released_and_the_other_goes_on_waiting(tmp_path: Path) -> None:
    enclave = with_orphans(tmp_path)
    plan = enclave.plan()
    enclave.migrate(plan)
    (irish,) = [entry for entry in enclave.ledger.waiting() if entry.region == "IE"]
    enclave.ledger.decide([irish.id], Verdict.RELEASE, "ann", "they wrote to us")
    ending = enclave.migrate(plan)
    assert ending.waiting == 1
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i1 oi", DE="g1")
    balanced(enclave)


def test_a_rule_releases_all_orphans_of_a_dataset(tmp_path: Path) -> None:
    enclave = with_orphans(tmp_path)
    plan = enclave.plan()
    enclave.migrate(plan)
    enclave.ledger.rule(PROFILES.name, Reason.ORPHAN, Verdict.RELEASE, "ann")
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i1 oi", DE="g1 og")
    balanced(enclave)


def test_a_rule_holds_for_orphans_that_come_later(tmp_path: Path) -> None:
    enclave = with_orphans(tmp_path)
    enclave.ledger.rule(PROFILES.name, Reason.ORPHAN, Verdict.RELEASE, "ann")
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == profiles(IE="i1 oi", DE="g1 og")


@pytest.mark.parametrize("by_rule", [True, False])
def test_what_was_released_stays_released(tmp_path: Path, by_rule: bool) -> None:
    enclave = with_orphans(tmp_path)
    plan = enclave.plan()
    enclave.migrate(plan)
    if by_rule:
        enclave.ledger.rule(PROFILES.name, Reason.ORPHAN, Verdict.RELEASE, "ann")
    else:
        numbers = [entry.id for entry in enclave.ledger.waiting()]
        enclave.ledger.decide(numbers, Verdict.RELEASE, "ann", "both")
    enclave.migrate(plan)
    before, since = enclave.standing(), len(enclave.singapore.requests)
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert not [r for r in enclave.singapore.requests[since:] if r.operation != "list"]
    batches = [receipt.batch for receipt in enclave.ledger.receipts()]
    enclave.ledger.reopen(batches)
    assert enclave.migrate(plan).state is RunState.COMPLETE, "also when it is read again"
    assert enclave.standing() == before
    assert enclave.trusted() == profiles(IE="i1 oi", DE="g1 og")
    balanced(enclave)


def test_orphans_of_a_region_and_of_none_may_be_released_together(tmp_path: Path) -> None:
    """What nobody can place waits on, for the reason that is left."""
    enclave = with_orphans(tmp_path)
    enclave.singapore.plant(
        "profiles/a.parquet", parquet_of([("oi", "IE", 1), ("nowhere", None, 1)])
    )
    plan = enclave.plan()
    enclave.migrate(plan)
    entries = list(enclave.ledger.waiting())
    assert {(entry.reason, entry.region) for entry in entries} == {
        (Reason.ORPHAN, "IE"),
        (Reason.ORPHAN, None),
    }
    enclave.ledger.decide([entry.id for entry in entries], Verdict.RELEASE, "ann", "all")
    assert enclave.migrate(plan).waiting == 1
    (left,) = enclave.ledger.waiting(verdict=Verdict.OPEN)
    assert left.reason is Reason.UNKNOWN_COUNTRY
    assert enclave.trusted() == profiles(IE="i1 oi", DE="g1")
    balanced(enclave)


@pytest.mark.parametrize("verdict", [Verdict.DROP, Verdict.RELEASE])
def test_a_decision_by_number_is_no_decision_about_records_that_joined(
    tmp_path: Path, verdict: Verdict
) -> None:
    """The primary loses two people: now three orphans stand in a batch where one was decided."""
    enclave = Enclave(tmp_path, datasets={PROFILES.name: PROFILES})
    all_five = [(f"i{number}", "IE", 1) for number in range(5)]
    enclave.us.plant("profiles/a.parquet", parquet_of(all_five))
    enclave.singapore.plant(
        "profiles/z.parquet", parquet_of([("lost", "IE", 1), ("i1", "IE", 1), ("i2", "IE", 1)])
    )
    enclave.migrate(enclave.plan())
    (seen,) = enclave.ledger.waiting()
    enclave.ledger.decide([seen.id], verdict, "ann", "one lost record")
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    left = [each for each in all_five if each[0] not in {"i1", "i2"}]
    enclave.us.plant("profiles/a.parquet", parquet_of(left))
    plan = enclave.plan()
    for _ in range(2):
        ending = enclave.migrate(plan)
        assert (ending.state, ending.exit_code, ending.waiting) == (RunState.INCOMPLETE, 14, 3)
        assert enclave.trusted() == enclave.arrived() == profiles(IE="i0 i3 i4")
        balanced(enclave)
    (entry,) = enclave.ledger.waiting()
    assert (entry.rows, entry.verdict, entry.by) == (3, Verdict.OPEN, None)
    assert enclave.ledger.decide([seen.id], verdict, "ann", "an old number") == 0
    enclave.ledger.decide([entry.id], Verdict.RELEASE, "bob", "all three")
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i0 i1 i2 i3 i4 lost")
    balanced(enclave)


def test_a_release_is_remembered_for_its_records_alone(tmp_path: Path) -> None:
    """Released, moved, and read again: beside another orphan, the one that moved waits too."""
    marks = MemoryTombstones()
    enclave = with_orphans(tmp_path, marks)
    plan = enclave.plan()
    enclave.migrate(plan)
    numbers = [entry.id for entry in enclave.ledger.waiting()]
    enclave.ledger.decide(numbers, Verdict.RELEASE, "ann", "both")
    enclave.migrate(plan)
    marks.add("oi")
    enclave.ledger.reopen([receipt.batch for receipt in enclave.ledger.receipts()])
    assert enclave.migrate(plan).state is RunState.COMPLETE, "fewer than were released"
    assert enclave.trusted() == profiles(IE="i1", DE="g1 og")
    assert {len(entry.positions) for entry in enclave.ledger.waiting()} == {1}
    enclave.us.plant("profiles/a.parquet", parquet_of([("i1", "IE", 1)]))
    ending = enclave.migrate(enclave.plan())
    assert (ending.state, ending.waiting) == (RunState.INCOMPLETE, 2), "g1 and og"
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i1")
    balanced(enclave)


def test_dropped_records_stay_where_they_are_and_block_nothing(tmp_path: Path) -> None:
    enclave = with_orphans(tmp_path)
    plan = enclave.plan()
    enclave.migrate(plan)
    numbers = [entry.id for entry in enclave.ledger.waiting()]
    enclave.ledger.decide(numbers, Verdict.DROP, "ann", "deleted on purpose")
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert enclave.trusted() == profiles(IE="i1", DE="g1")
    assert sum(receipt.quarantined for receipt in balanced(enclave)) == 2


def test_a_release_that_is_taken_back_takes_the_record_back(tmp_path: Path) -> None:
    enclave = with_orphans(tmp_path)
    plan = enclave.plan()
    enclave.migrate(plan)
    numbers = [entry.id for entry in enclave.ledger.waiting()]
    enclave.ledger.decide(numbers, Verdict.RELEASE, "ann", "both")
    enclave.migrate(plan)
    enclave.ledger.decide(numbers, Verdict.DROP, "bob", "she was wrong")
    enclave.migrate(plan)
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i1", DE="g1")
    balanced(enclave)


def test_a_cause_that_was_mended_lets_the_record_through_once(tmp_path: Path) -> None:
    """A country nobody knew becomes an alias; the batch is opened again, the parcel replaced."""
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"), ("i2", "EIRE"), ("x", "??"))
    assert enclave.migrate(enclave.plan()).waiting == 2
    first = enclave.standing()
    enclave.aliases = {"EIRE": "IE"}
    plan = enclave.plan()
    entries = list(enclave.ledger.waiting())
    enclave.ledger.reopen([entry.batch for entry in entries])
    ending = enclave.migrate(plan)
    assert ending.waiting == 1, "the other one waits on"
    assert {name for _, _, name in enclave.trusted()} == {"i1", "i2"}
    assert enclave.standing().keys() == first.keys(), "replaced, not added to"
    balanced(enclave)
    before = enclave.standing()
    assert enclave.migrate(plan).waiting == 1
    assert enclave.standing() == before, "later runs keep it"


def test_an_erased_user_moves_nowhere(tmp_path: Path) -> None:
    enclave = with_orphans(tmp_path, MemoryTombstones(["i1", "oi"]))
    ending = enclave.migrate(enclave.plan())
    assert ending.waiting == 1, "an erased orphan waits for nobody"
    assert enclave.trusted() == profiles(DE="g1")
    assert sum(receipt.erased for receipt in balanced(enclave)) == 3, "each copy of them"
    assert not [
        found for found in enclave.dublin.list("") if "region=IE/_repatria/q" in found.object.key
    ]


def test_a_user_who_was_erased_later_leaves_the_parcel_when_it_is_opened(tmp_path: Path) -> None:
    marks = MemoryTombstones()
    enclave = with_orphans(tmp_path, marks)
    plan = enclave.plan()
    enclave.migrate(plan)
    marks.add("g1")
    enclave.ledger.reopen([receipt.batch for receipt in enclave.ledger.receipts()])
    enclave.migrate(plan)
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i1")
    assert "profiles/region=DE/a.parquet" in enclave.standing(), "emptied, never removed"
    assert sum(receipt.erased for receipt in balanced(enclave)) == 2, "both copies"


def test_a_region_that_comes_after_an_erasure_does_not_stop_the_line(tmp_path: Path) -> None:
    """The batch is read again for DE; a user of IE, whose line stands, was erased meanwhile."""
    marks = MemoryTombstones()
    enclave = with_orphans(tmp_path, marks)
    enclave.migrate(enclave.plan(IE))
    marks.add("i1")
    enclave.migrate(enclave.plan(IE, DE))
    assert enclave.trusted() == enclave.arrived() == profiles(DE="g1")
    balanced(enclave)


def test_an_account_that_changed_for_a_region_left_out_spoils_its_slice_alone(
    tmp_path: Path,
) -> None:
    enclave = with_orphans(tmp_path)
    enclave.migrate(enclave.plan(IE, DE))
    enclave.ledger.rule(PROFILES.name, Reason.ORPHAN, Verdict.RELEASE, "ann")
    before = enclave.standing()
    enclave.us.plant("profiles/b.parquet", parquet_of([("i3", "IE", 1)]))
    marks = enclave.tombstones
    assert isinstance(marks, MemoryTombstones)
    marks.add("g1")
    enclave.ledger.reopen([receipt.batch for receipt in enclave.ledger.receipts()])
    ending = enclave.migrate(enclave.plan(IE))
    assert FailureKind.CHANGED in {failure.kind for failure in ending.failures}
    assert "profiles/region=IE/b.parquet" in enclave.standing(), "the others went on"
    assert (
        enclave.standing()["profiles/region=DE/a.parquet"] == before["profiles/region=DE/a.parquet"]
    )


def test_a_record_that_cannot_be_read_waits_by_its_place_and_is_counted(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    body = notes_of([("i1", "IE")]) + b"{not a record\n" + notes_of([("i2", "IE"), ("g1", "DE")])
    enclave.us.plant("notes/a.jsonl", body)
    ending = enclave.migrate(enclave.plan())
    assert (ending.state, ending.waiting) == (RunState.INCOMPLETE, 1)
    [receipt] = balanced(enclave)
    assert (receipt.read, receipt.moved, receipt.quarantined) == (4, 3, 1)
    [entry] = enclave.ledger.waiting()
    assert (entry.reason, entry.rows) == (Reason.MALFORMED, 1)
    assert entry.positions == (body.index(b"{not"),)
