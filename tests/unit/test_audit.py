"""The end of a run: receipts = plan = a new listing, and whatever is not is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from repatria.audit import Audit, Configured, audit_left, audit_listing, audit_receipts
from repatria.names import SliceId
from repatria.plan import Plan
from repatria.ports.ledger import Receipts, RunState
from repatria.receipt import BatchName, Receipt
from tests.people import DE, IE, NO
from tests.scenario.enclave import Enclave, of_notes


def moved(folder: Path) -> tuple[Enclave, Plan]:
    enclave = of_notes(folder)
    enclave.note("a.jsonl", ("i1", "IE"), ("u1", "US"))
    enclave.note("b.jsonl", ("i2", "IE"), ("g2", "DE"))
    enclave.note("d.jsonl", ("i4", "IE"))
    plan = enclave.plan(IE)
    enclave.migrate(plan)
    return enclave, plan


def configured(enclave: Enclave) -> Configured:
    return Configured.of(enclave.datasets, enclave.regions)


def listed(enclave: Enclave, plan: Plan) -> Audit:
    audit = Audit()
    audit_listing(audit, plan, enclave.ledger, enclave.sources, enclave.datasets)
    return audit


def received(enclave: Enclave, plan: Plan, *scope: object) -> int:
    audit = Audit()
    audit_receipts(audit, plan, enclave.ledger, enclave.ledger, scope)  # type: ignore[arg-type]
    return audit.unfinished


def test_nothing_that_differs_is_clean(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    assert listed(enclave, plan).clean
    assert received(enclave, plan, IE) == 0


def test_each_difference_alone_is_not_clean() -> None:
    assert Audit().clean
    for name in Audit.__slots__:
        assert not Audit(**{name: 1}).clean


def test_objects_that_came_changed_or_went_are_counted_wherever_they_stand(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    for name in ("0.jsonl", "c.jsonl", "z.jsonl"):
        enclave.note(name, ("i9", "IE"))
    enclave.note("a.jsonl", ("i8", "IE"))
    enclave.us.remove("notes/b.jsonl")
    enclave.us.remove("notes/d.jsonl")
    assert listed(enclave, plan) == Audit(new=3, changed=1, gone=2)


def test_an_empty_listing_is_every_object_gone(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    for name in "abd":
        enclave.us.forget(f"notes/{name}.jsonl")
    assert listed(enclave, plan).gone == 3


def test_a_slice_without_receipts_for_all_that_was_asked_is_unfinished(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    assert received(enclave, plan, IE, DE) == 1, "b holds a record of DE"
    assert received(enclave, plan, IE, NO) == 0, "nobody is of NO"
    enclave.note("e.jsonl", ("i5", "IE"))
    assert received(enclave, enclave.plan(IE), IE) == 1, "never read"


class Unended:
    """Receipts of which none says that its slice ends with it."""

    def __init__(self, inner: Receipts) -> None:
        self._inner = inner

    def committed(self, pieces: Sequence[SliceId]) -> Mapping[BatchName, Receipt]:
        found = self._inner.committed(pieces)
        return {name: replace(receipt, last=False) for name, receipt in found.items()}

    def reopened(self, _pieces: Sequence[SliceId]) -> frozenset[BatchName]:
        return frozenset()


def test_a_slice_whose_last_batch_is_not_there_is_unfinished(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    audit, unended = Audit(), Unended(enclave.ledger)
    audit_receipts(audit, plan, enclave.ledger, unended, [IE])  # type: ignore[arg-type]
    assert audit.unfinished == 3


def test_records_whose_slice_is_in_no_plan_are_counted(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    audit = Audit()
    audit_left(audit, plan, enclave.ledger, enclave.ledger, configured(enclave))
    assert audit.left == 0
    enclave.us.remove("notes/d.jsonl")
    audit_left(audit, enclave.plan(IE), enclave.ledger, enclave.ledger, configured(enclave))
    assert audit.left == 1


def test_what_stands_where_its_region_no_longer_lives_is_told(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    elsewhere = tuple(replace(region, home=NO.home) for region in enclave.regions)
    audit = Audit()
    audit_left(
        audit, plan, enclave.ledger, enclave.ledger, Configured.of(enclave.datasets, elsewhere)
    )
    assert audit.left == 3


def test_what_stands_of_a_region_or_dataset_that_has_no_name_now_is_told(tmp_path: Path) -> None:
    enclave, plan = moved(tmp_path)
    audit = Audit()
    audit_left(
        audit, plan, enclave.ledger, enclave.ledger, Configured.of(enclave.datasets, (DE, NO))
    )
    assert audit.left == 3
    audit = Audit()
    nothing = replace(plan, datasets=())
    audit_left(audit, nothing, enclave.ledger, enclave.ledger, Configured.of({}, enclave.regions))
    assert audit.left == 3


def test_a_dataset_of_which_nothing_was_listed_is_not_done(tmp_path: Path) -> None:
    """A wrong prefix looks just so: nothing passes on a blank."""
    enclave = of_notes(tmp_path)
    plan = enclave.plan(IE)
    audit = Audit()
    audit_receipts(audit, plan, enclave.ledger, enclave.ledger, (IE,))
    assert (audit.unfinished, audit.empty, audit.clean) == (0, 1, False)
    assert enclave.migrate(plan).state is RunState.INCOMPLETE
