"""A dataset whose keys name people: no key is told anywhere (law 9)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from repatria.dataset import KeyClass
from repatria.errors import ForeignObject, RepatriaError
from repatria.stored import About
from tests.scenario.enclave import NOTES, Enclave
from tests.scenario.written import notes_of

SECRET = "maeve-o-brien"
LETTERS = replace(NOTES, keys=KeyClass.PERSONAL)


def filled(folder: Path) -> Enclave:
    """Return a world in which everything goes wrong for objects whose keys name somebody."""
    enclave = Enclave(folder, datasets={LETTERS.name: LETTERS})
    enclave.us.plant(
        f"notes/{SECRET}/good.jsonl",
        notes_of([("n1", "IE"), ("n2", None), ("n3", "IE")]) + b"not json\n",
    )
    enclave.us.plant(f"notes/{SECRET}/bad.jsonl.gz", b"\x1f\x8b\x08 this is no archive")
    frozen = About(sha256="", storage_class="GLACIER")
    enclave.us.plant(f"notes/{SECRET}/old.jsonl", b"{}\n", frozen)
    enclave.us.plant(f"notes/{SECRET}/stale.jsonl", notes_of([("n4", "IE")]))
    enclave.us.plant(f"notes/{SECRET}/gone.jsonl", notes_of([("n5", "IE")]))
    return enclave


def test_no_key_is_told_anywhere(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    plan = enclave.plan()
    enclave.us.plant(f"notes/{SECRET}/stale.jsonl", notes_of([("n6", "IE")]))
    enclave.us.forget(f"notes/{SECRET}/gone.jsonl")
    ending = enclave.migrate(plan)
    ledger = enclave.ledger
    assert len(ending.failures) == 4
    entries = list(ledger.waiting())
    assert len(entries) == 2
    told = [
        repr(ending),
        *map(repr, ending.failures),
        *map(repr, entries),
        *(repr(entry) for _, entry in ledger.entries(0, 100)),
        *map(repr, enclave.heard.said),
        *map(repr, ledger.receipts()),
        *map(repr, ledger.stripes(plan.digest)),
        *map(repr, enclave.verify(plan)),
        *map(repr, ledger.runs()),
        repr(plan),
    ]
    assert not [text for text in told if SECRET in text]
    assert SECRET in str(next(ledger.stripes(plan.digest)).slices[0].object.key), "it was there"


@pytest.mark.parametrize("parcel", ["good.jsonl"])
def test_no_key_is_in_what_stops_the_line(tmp_path: Path, parcel: str) -> None:
    enclave = filled(tmp_path)
    enclave.dublin.plant(f"notes/region=IE/{SECRET}/{parcel}", b"somebody else's")
    with pytest.raises(ForeignObject) as raised:
        enclave.migrate(enclave.plan())
    error: BaseException | None = raised.value
    while error is not None:
        assert isinstance(error, RepatriaError)
        assert SECRET not in f"{error!s} {error!r} {error.facts}"
        error = error.__cause__ or error.__context__


def test_no_record_is_told_anywhere(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    enclave.migrate(enclave.plan())
    told = [
        *map(repr, enclave.ledger.failures()),
        *map(repr, enclave.ledger.waiting()),
        *map(repr, enclave.ledger.receipts()),
        *map(repr, enclave.heard.said),
        *(repr(entry) for _, entry in enclave.ledger.entries(0, 100)),
    ]
    assert not [text for text in told if "user of" in text or "not json" in text]
