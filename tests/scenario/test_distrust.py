"""Stores that are not what they say, and objects that are not ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.memory.bucket import HONEST, UNVERSIONED, MemoryBucket
from repatria.errors import ForeignObject, ReadBackMismatch, ResidencyRefused
from repatria.names import DatasetName, RegionName
from repatria.ports.ledger import RunState
from repatria.stored import ObjectVersion, Observed
from repatria.stray import strays
from tests.people import DE, DUBLIN, IE
from tests.scenario.enclave import NOTES, Enclave, of_notes

PARCEL = "notes/region=IE/a.jsonl"
MANIFEST = "notes/region=IE/_repatria/manifest.parquet"


def filled(folder: Path, **named: Any) -> Enclave:
    enclave = of_notes(folder, **named)
    enclave.note("a.jsonl", ("i1", "IE"), ("i2", "IE"))
    enclave.note("b.jsonl", ("i3", "IE"))
    return enclave


def body_of(bucket: MemoryBucket, key: str) -> bytes:
    return bytes(bucket.read(bucket.head(key).object))


@pytest.mark.parametrize("promises", [HONEST, UNVERSIONED])
@pytest.mark.parametrize("key", [PARCEL, MANIFEST])
def test_what_is_not_ours_is_never_overwritten(tmp_path: Path, promises: Any, key: str) -> None:
    enclave = filled(tmp_path, promises=promises)
    enclave.dublin.plant(key, b"somebody else's")
    with pytest.raises(ForeignObject):
        enclave.migrate(enclave.plan())
    assert body_of(enclave.dublin, key) == b"somebody else's"


def test_a_parcel_that_somebody_replaced_is_not_replaced_again(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    enclave.migrate(enclave.plan())
    enclave.dublin.plant(PARCEL, b"somebody else's")
    enclave.note("a.jsonl", ("i9", "IE"))
    with pytest.raises(ForeignObject):
        enclave.migrate(enclave.plan())
    assert body_of(enclave.dublin, PARCEL) == b"somebody else's"


def test_a_parcel_that_rotted_is_named_by_verification(tmp_path: Path) -> None:
    """A store without versions: what is read is what stands."""
    enclave = filled(tmp_path, promises=UNVERSIONED)
    plan = enclave.plan()
    enclave.migrate(plan)
    rotten = bytearray(body_of(enclave.dublin, PARCEL))
    rotten[3] ^= 1
    enclave.dublin.plant(PARCEL, bytes(rotten))
    found = [one for one in enclave.verify(plan) if one.altered or one.missing or one.extra]
    assert [(one.region, one.altered) for one in found] == [(IE.name, 2)]


@pytest.mark.parametrize("happens", ["overwritten", "removed"])
def test_a_parcel_whose_key_answers_for_something_else_is_named(
    tmp_path: Path, happens: str
) -> None:
    """A store with versions: ours can still be read, but nobody who asks for the key gets it."""
    enclave = filled(tmp_path)
    plan = enclave.plan()
    enclave.migrate(plan)
    if happens == "overwritten":
        enclave.dublin.plant(PARCEL, b"somebody else's")
    else:
        enclave.dublin.remove(PARCEL)
    target = enclave.place(DUBLIN, enclave.dublin).target
    found = enclave.verify(plan)
    differing = sum(one.altered + one.missing + one.extra for one in found)
    assert differing + strays(enclave.ledger, target, NOTES.name, IE.name) > 0


def test_an_object_that_no_receipt_names_is_a_stray(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    enclave.migrate(enclave.plan())
    target = enclave.place(DUBLIN, enclave.dublin).target
    assert strays(enclave.ledger, target, NOTES.name, IE.name) == 0
    enclave.dublin.plant("notes/region=IE/more.jsonl", b"{}\n")
    enclave.dublin.plant("notes/region=DE/more.jsonl", b"{}\n")
    assert strays(enclave.ledger, target, NOTES.name, IE.name) == 1
    assert strays(enclave.ledger, target, DatasetName("posts"), IE.name) == 0
    assert strays(enclave.ledger, target, NOTES.name, RegionName("DE")) == 1


@pytest.mark.parametrize("location", ["us-east-1", None])
def test_a_store_that_is_elsewhere_is_refused_before_any_parcel(
    tmp_path: Path, location: str | None
) -> None:
    enclave = filled(tmp_path)
    enclave.dublin._observed = Observed(endpoint="memory", location=location)
    with pytest.raises(ResidencyRefused):
        enclave.migrate(enclave.plan())
    assert enclave.dublin.count("put") == 0
    assert list(enclave.ledger.receipts()) == []


def test_a_key_at_rest_that_lives_elsewhere_is_refused(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    enclave.dublin._observed = replace(enclave.dublin._observed, key_region="us-east-1")
    with pytest.raises(ResidencyRefused):
        enclave.migrate(enclave.plan())
    assert enclave.dublin.count("put") == 0


class Damaging(MemoryBucket):
    """A store that takes a body, and keeps another one."""

    def put(self, key: str, body: Any, about: Any, replaces: Any) -> ObjectVersion:
        stored = super().put(key, body, about, replaces)
        if "region=" not in key or "_repatria" in key:
            return stored
        other = bytes(body).replace(b"i1", b"i7")
        kept = self.plant(key, other, about)
        return replace(kept, etag=kept.etag)


def test_a_store_that_keeps_something_else_is_found_out_before_the_receipt(tmp_path: Path) -> None:
    enclave = filled(tmp_path)
    honest = enclave.dublin
    enclave.dublin = Damaging(DUBLIN.name, observed=honest._observed)
    with pytest.raises(ReadBackMismatch):
        enclave.migrate(enclave.plan())
    assert list(enclave.ledger.receipts()) == []


@pytest.mark.parametrize("lacks", ["create_only", "replace_only", "checksums"])
def test_a_store_that_ignores_a_promise_loses_no_record_of_ours(tmp_path: Path, lacks: str) -> None:
    """It may lose what others put in our way: the doctor says so, and grades it ill."""
    enclave = filled(tmp_path, promises=replace(HONEST, **{lacks: False}))
    plan = enclave.plan()
    assert enclave.migrate(plan).state is RunState.COMPLETE
    enclave.note("a.jsonl", ("i1", "IE"), ("i9", "IE"))
    plan = enclave.plan()
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert {name for _, _, name in enclave.trusted()} == {"i1", "i9", "i3"}
    assert enclave.trusted() == enclave.arrived()
    assert sum(one.matched for one in enclave.verify(plan)) == 3


def test_a_parcel_that_is_gone_is_missing_and_not_altered(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path, promises=UNVERSIONED)
    enclave.note("a.jsonl", ("i1", "IE"), ("i2", "IE"), ("g1", "DE"))
    plan = enclave.plan()
    enclave.migrate(plan)
    enclave.dublin.remove(PARCEL)
    found = {one.region: one for one in enclave.verify(plan)}
    assert (found[IE.name].missing, found[IE.name].altered) == (2, 0)
    assert "gone" in found[IE.name].why
    assert found[DE.name].matched == 1
