"""The backup changes after the primary was moved: of two copies one stands at home, never both."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from repatria.names import RegionName
from repatria.ports.ledger import RunState
from tests.people import PROFILES
from tests.scenario.enclave import Arrivals, Enclave
from tests.scenario.written import Person, parquet_of

MINE: list[Person] = [("i1", "IE", 2), ("i2", "IE", 2), ("g1", "DE", 2), ("u1", "US", 2)]


def profiles(**regions: str) -> Arrivals:
    """Return what must stand at home: users with their versions, by region."""
    return Counter(
        {
            (str(PROFILES.name), RegionName(region), name): 1
            for region, names in regions.items()
            for name in names.split()
        }
    )


def moved(folder: Path) -> Enclave:
    """Return a world whose backup repeated the primary when it was moved."""
    enclave = Enclave(folder, datasets={PROFILES.name: PROFILES})
    enclave.us.plant("profiles/a.parquet", parquet_of(MINE))
    enclave.singapore.plant("profiles/a.parquet", parquet_of(MINE))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == profiles(IE="i1@2 i2@2", DE="g1@2")
    return enclave


def test_a_newer_copy_in_the_backup_takes_the_place_of_one_that_was_moved(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    newer: Person = ("i2", "IE", 3)
    enclave.singapore.plant("profiles/a.parquet", parquet_of([MINE[0], newer, *MINE[2:]]))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i1@2 i2@3", DE="g1@2")
    assert all(receipt.checked() for receipt in enclave.ledger.receipts())


def test_what_the_backup_takes_back_stands_as_the_primary_says_again(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    newer: Person = ("i2", "IE", 3)
    enclave.singapore.plant("profiles/a.parquet", parquet_of([MINE[0], newer, *MINE[2:]]))
    enclave.migrate(enclave.plan())
    older: Person = ("i2", "IE", 1)
    enclave.singapore.plant("profiles/a.parquet", parquet_of([MINE[0], older, *MINE[2:]]))
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.trusted() == enclave.arrived() == profiles(IE="i1@2 i2@2", DE="g1@2")


def test_a_run_without_a_change_puts_nothing(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    newer: Person = ("i2", "IE", 3)
    enclave.singapore.plant("profiles/a.parquet", parquet_of([MINE[0], newer, *MINE[2:]]))
    enclave.migrate(enclave.plan())
    before = enclave.dublin.count("put")
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert enclave.dublin.count("put") == before
