"""Sources that change: the change is moved, nothing old stays behind, nothing else is touched."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

from connectors.memory.bucket import MemoryBucket
from repatria.dataset import ByCountry, Column, Dataset, Format
from repatria.names import DatasetName, RegionName
from repatria.ports.ledger import FailureKind, RunState
from repatria.stored import About
from tests.people import DE, IE, NO
from tests.scenario.enclave import Arrivals, Enclave, of_notes
from tests.scenario.written import notes_of

LOGINS = Dataset(
    name=DatasetName("logins"),
    prefix="logins/",
    format=Format.CSV,
    identity=(Column("id"),),
    user=Column("user"),
    residency=ByCountry("country"),
)


def notes(**regions: str) -> Arrivals:
    """Return what must stand at home: names of notes by region, divided by blanks."""
    return Counter(
        {
            ("notes", RegionName(region), name): 1
            for region, names in regions.items()
            for name in names.split()
        }
    )


def put_since(bucket: MemoryBucket, since: int) -> list[str]:
    keys = [r.key for r in bucket.requests[since:] if r.operation == "put"]
    return [key for key in keys if not key.endswith("manifest.parquet")]


def moved(folder: Path) -> Enclave:
    """Return a world after a first, complete move."""
    enclave = of_notes(folder)
    enclave.note("a.jsonl", ("i1", "IE"), ("g1", "DE"), ("u1", "US"))
    enclave.note("b.jsonl", ("i2", "IE"), ("g2", "DE"))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    return enclave


def test_a_replaced_object_replaces_its_parcels_and_no_others(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"), ("i9", "IE"), ("g9", "DE"))
    since = len(enclave.dublin.requests)
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == notes(IE="i1 i9 i2", DE="g9 g2")
    assert sorted(put_since(enclave.dublin, since)) == [
        "notes/region=DE/a.jsonl",
        "notes/region=IE/a.jsonl",
    ]
    assert all(receipt.checked() for receipt in enclave.ledger.receipts())


def test_the_same_plan_again_does_nothing_after_a_replacement(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    enclave.note("a.jsonl", ("i9", "IE"))
    plan = enclave.plan()
    enclave.migrate(plan)
    since, reads = len(enclave.dublin.requests), len(enclave.us.requests)
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert put_since(enclave.dublin, since) == []
    assert {r.operation for r in enclave.us.requests[reads:]} == {"list"}


def test_a_region_that_left_the_object_leaves_an_empty_parcel(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == notes(IE="i1 i2", DE="g2")
    assert "notes/region=DE/a.jsonl" in enclave.standing(), "emptied, never removed"


def test_a_region_that_comes_into_the_object_gets_a_parcel(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"), ("g1", "DE"), ("n1", "NO"))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == notes(IE="i1 i2", DE="g1 g2", NO="n1")


def test_an_object_of_fewer_batches_empties_the_parcels_of_the_others(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    long = [(f"i{n}", "IE") for n in range(30)] + [(f"g{n}", "DE") for n in range(30)]
    enclave.us.plant("notes/z.jsonl.gz", _gzipped(long))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert len(enclave.standing()) > 3, "several batches"
    enclave.us.plant("notes/z.jsonl.gz", _gzipped([("i1", "IE")]))
    plan = enclave.plan()
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == notes(IE="i1")
    since = len(enclave.us.requests)
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert {r.operation for r in enclave.us.requests[since:]} == {"list"}, "nothing is left to do"


def test_an_object_that_grew_again_gets_its_batches_back(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    long = [(f"i{n}", "IE") for n in range(60)]
    for rows in (long, long[:2], long):
        enclave.us.plant("notes/z.jsonl.gz", _gzipped(rows))
        assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
        assert enclave.trusted() == enclave.arrived() == notes(IE=" ".join(n for n, _ in rows))


def test_an_object_of_fewer_cuts_empties_the_parcels_of_the_others(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("z.jsonl", *((f"i{n}", "IE") for n in range(30)), padding=1500)
    plan = enclave.plan()
    assert plan.slice_count > 1
    assert enclave.migrate(plan).state is RunState.COMPLETE
    enclave.note("z.jsonl", ("i1", "IE"))
    ending = enclave.migrate(enclave.plan())
    if ending.state is RunState.COMPLETE:
        assert enclave.trusted() == notes(IE="i1")
    else:
        assert ending.audit.left, "what the plan no longer names is told"


def test_an_object_that_is_as_it_was_before_is_moved_again(tmp_path: Path) -> None:
    """A store's ETag comes back to an old value, and the old receipts must not count."""
    enclave = moved(tmp_path)
    enclave.note("b.jsonl", ("i7", "IE"))
    enclave.migrate(enclave.plan())
    enclave.note("b.jsonl", ("i2", "IE"), ("g2", "DE"))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == notes(IE="i1 i2", DE="g1 g2")


def test_a_plan_that_leaves_out_a_region_held_before_is_refused_for_that_object(
    tmp_path: Path,
) -> None:
    enclave = moved(tmp_path)
    enclave.note("a.jsonl", ("i8", "IE"), ("g8", "DE"))
    before = enclave.standing()
    ending = enclave.migrate(enclave.plan(IE))
    assert ending.state is RunState.INCOMPLETE
    assert [failure.kind for failure in ending.failures] == [FailureKind.CHANGED]
    assert "DE" in ending.failures[0].why
    assert enclave.standing() == before
    assert enclave.migrate(enclave.plan(IE, DE, NO)).state is RunState.COMPLETE
    assert enclave.trusted() == notes(IE="i8 i2", DE="g8 g2")


def test_an_object_that_changed_since_the_plan_is_stale_and_nothing_of_it_is_put(
    tmp_path: Path,
) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"))
    enclave.note("b.jsonl", ("i2", "IE"))
    plan = enclave.plan()
    enclave.note("a.jsonl", ("i3", "IE"))
    ending = enclave.migrate(plan)
    assert ending.exit_code == 14
    assert [failure.kind for failure in ending.failures] == [FailureKind.STALE]
    assert ending.audit.changed == 1
    assert enclave.arrived() == notes(IE="i2")
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE, "what was stale is past"
    assert enclave.trusted() == notes(IE="i2 i3")


def test_an_object_that_was_mended_counts_no_more(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.us.plant("notes/bad.jsonl.gz", _gzipped([("i1", "IE")])[:-9])
    ending = enclave.migrate(enclave.plan())
    assert [failure.kind for failure in ending.failures] == [FailureKind.BAD]
    enclave.us.plant("notes/bad.jsonl.gz", _gzipped([("i1", "IE")]))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == notes(IE="i1")


def test_a_record_that_was_mended_waits_no_more(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"), ("i2", None))
    assert enclave.migrate(enclave.plan()).waiting == 1
    enclave.note("a.jsonl", ("i1", "IE"), ("i2", "IE"))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == notes(IE="i1 i2")


def test_an_object_that_went_away_is_told(tmp_path: Path) -> None:
    """Nobody knows yet whether its records shall go too: silence is not consent."""
    enclave = moved(tmp_path)
    enclave.us.remove("notes/b.jsonl")
    ending = enclave.migrate(enclave.plan())
    assert ending.state is RunState.INCOMPLETE
    assert ending.audit.left == 2, "records"
    assert enclave.trusted() == notes(IE="i1 i2", DE="g1 g2"), "an empty listing deletes nothing"


def test_a_missing_object_is_told_and_the_others_move(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"))
    enclave.note("b.jsonl", ("i2", "IE"))
    plan = enclave.plan()
    enclave.us.forget("notes/a.jsonl")
    ending = enclave.migrate(plan)
    assert [failure.kind for failure in ending.failures] == [FailureKind.MISSING]
    assert ending.audit.gone == 1
    assert enclave.trusted() == notes(IE="i2")


def test_an_archived_object_is_told_and_the_others_move(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", ("i1", "IE"))
    frozen = About(sha256="", storage_class="GLACIER")
    enclave.us.plant("notes/old.jsonl", b'{"note_id": "x"}\n', frozen)
    ending = enclave.migrate(enclave.plan())
    assert ending.exit_code == 14
    assert [failure.kind for failure in ending.failures] == [FailureKind.ARCHIVED]
    assert enclave.trusted() == notes(IE="i1")


def test_a_csv_whose_header_alone_changed_arrives_with_the_new_header(tmp_path: Path) -> None:
    enclave = Enclave(tmp_path, datasets={LOGINS.name: LOGINS})
    enclave.us.plant("logins/a.csv", b"id,user,country,ip\n1,u1,IE,::1\n")
    enclave.migrate(enclave.plan())
    enclave.us.plant("logins/a.csv", b"id,user,country,address\n1,u1,IE,::1\n")
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    found = enclave.dublin.head("logins/region=IE/a.csv").object
    assert bytes(enclave.dublin.read(found)).startswith(b"id,user,country,address\n")


def _gzipped(rows: list[tuple[str, str]]) -> bytes:
    return gzip.compress(notes_of(rows, padding=200), mtime=0)
