"""What somebody else wrote in our place: checkpoints and manifests are checked, not believed."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repatria.errors import ForeignObject, Unbalanced
from repatria.manifest import METADATA
from tests.people import DE, IE
from tests.scenario.enclave import Enclave, of_notes

MANIFEST = "notes/region=IE/_repatria/manifest.parquet"


def moved(folder: Path) -> Enclave:
    enclave = of_notes(folder)
    enclave.note("a.jsonl", ("i1", "IE"), ("i2", "IE"), ("g1", "DE"))
    enclave.note("b.jsonl", ("i3", "IE"), ("g2", "DE"))
    enclave.migrate(enclave.plan())
    return enclave


def body_of(enclave: Enclave, key: str) -> bytes:
    return bytes(enclave.dublin.read(enclave.dublin.head(key).object))


def edited(body: bytes) -> bytes:
    """Leave a parcel out of a manifest, and its own words as they were."""
    rows = pq.read_table(io.BytesIO(body)).slice(1)
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    assert pq.read_schema(pa.BufferReader(sink.getvalue())).metadata[METADATA]
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("how", ["edited", "of another region", "older", "of another ledger"])
def test_a_forged_manifest_is_replaced_or_stops_the_run(tmp_path: Path, how: str) -> None:
    enclave = moved(tmp_path / "mine")
    older = body_of(enclave, MANIFEST)
    enclave.note("c.jsonl", ("i4", "IE"))
    plan = enclave.plan()
    enclave.migrate(plan)
    right = enclave.trusted()
    forged = {
        "edited": edited(body_of(enclave, MANIFEST)),
        "of another region": body_of(enclave, MANIFEST.replace("=IE", "=DE")),
        "older": older,
        "of another ledger": body_of(moved(tmp_path / "other"), MANIFEST),
    }[how]
    enclave.dublin.plant(MANIFEST, forged)
    try:
        enclave.migrate(plan)
    except ForeignObject:
        assert how in {"of another region", "of another ledger"}
        assert body_of(enclave, MANIFEST) == forged, "never overwritten"
    else:
        assert enclave.trusted() == right


@pytest.mark.parametrize("how", ["another parcel", "a poorer parcel", "no parcel"])
def test_a_forged_checkpoint_is_found_by_verification(tmp_path: Path, how: str) -> None:
    """It compares records with records, and takes neither digest nor count from a receipt."""
    enclave = moved(tmp_path)
    plan = enclave.plan()
    held = enclave.ledger._receipts
    batches = next(them for them in held.values() if them[0].label.startswith("a.jsonl"))
    receipt = batches[0]
    irish = next(line for line in receipt.lines if line.region == IE.name)
    german = next(line for line in receipt.lines if line.region == DE.name)
    body = body_of(enclave, irish.object.key).splitlines(keepends=True)[0]
    poorer = enclave.dublin.plant("notes/region=IE/poorer.jsonl", body)
    digest = hashlib.sha256(body).hexdigest()
    forged = {
        "another parcel": [replace(irish, object=german.object, sha256=german.sha256)],
        "a poorer parcel": [replace(irish, object=poorer, sha256=digest, rows=1)],
        "no parcel": [],
    }[how]
    batches[0] = replace(receipt, lines=(*forged, german))
    told = enclave.verify(plan)
    assert sum(one.altered + one.missing + one.extra for one in told) > 0, told


def test_a_checkpoint_of_another_count_does_not_balance(tmp_path: Path) -> None:
    enclave = moved(tmp_path)
    receipt = next(iter(enclave.ledger.receipts()))
    lines = tuple(replace(line, rows=line.rows + 1) for line in receipt.lines)
    with pytest.raises(Unbalanced):
        replace(receipt, lines=lines).checked()
