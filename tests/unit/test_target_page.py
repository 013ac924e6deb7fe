"""The readers of docs/formats/target.md read what arrives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pytest

from connectors.memory.bucket import MemoryBucket
from connectors.object_manifests import ObjectManifests
from connectors.object_target import ObjectTarget
from repatria import manifest
from repatria.dataset import Format
from repatria.digest import Digester
from repatria.layout import Layout
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.ports.bucket import ABSENT
from repatria.ports.records import Parcel
from repatria.receipt import BatchName, Line, Receipt
from repatria.slice import Slice
from repatria.stored import ObjectVersion
from tests.contract.record_samples import codecs, dataset
from tests.unit.parquet_samples import people

PAGE = Path(__file__).parents[2] / "docs" / "formats" / "target.md"
PEOPLE, IE, DUBLIN = dataset(Format.PARQUET), RegionName("IE"), SiteName("dublin-1")
LAYOUT = Layout(root="eu/")
READERS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
TABLES = {
    "2024/a b.parquet": people(10),
    "2024/b.parquet": people(5, 10).append_column("grown", pa.array([1] * 5)),
    "c.parquet": people(0),
}


class Given:
    """Receipts that are given."""

    def __init__(self, receipts: list[Receipt]) -> None:
        self._receipts = receipts

    def receipts(self, name: DatasetName, region: RegionName) -> Iterator[Receipt]:
        return iter(self._receipts)


def receipt(target: ObjectTarget, relative: str, rows: pa.Table) -> Receipt:
    piece = Slice(
        id=SliceId(f"{len(relative):032}"),
        dataset=PEOPLE.name,
        site=SiteName("us-east"),
        object=ObjectVersion(relative, 1, "etag"),
        relative=relative,
        label=relative,
    )
    parcel = Parcel(dataset=PEOPLE, region=IE, site=DUBLIN, piece=piece, ordinal=0, rows=rows)
    arrived = target.put(parcel, ABSENT)
    line = Line(
        region=IE,
        site=DUBLIN,
        rows=rows.num_rows,
        object=arrived.object,
        sha256=arrived.sha256,
        digest=Digester(b"k" * 32).records(rows).multiset(),
    )
    return Receipt(
        batch=BatchName(piece.id, 0, "etag"),
        dataset=PEOPLE.name,
        site=piece.site,
        last=True,
        read=rows.num_rows,
        census={IE: rows.num_rows},
        erased=0,
        superseded=0,
        waiting=(),
        lines=(line,),
        decisions="",
        bytes_read=0,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder that holds what a home's bucket holds."""
    bucket = MemoryBucket(DUBLIN)
    target = ObjectTarget(bucket, LAYOUT, codecs(), "ledger")
    receipts = [receipt(target, relative, rows) for relative, rows in TABLES.items()]
    given: Any = Given(receipts)
    manifest.publish(given, ObjectManifests(bucket, LAYOUT, "ledger-1"), PEOPLE.name, IE)
    stray = "eu/people/region=IE/stray.parquet"
    bucket.plant(stray, bucket.read(receipts[0].lines[0].object).to_pybytes())
    for found in bucket.list(""):
        path = tmp_path / "bucket" / found.object.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bucket.read(found.object).to_pybytes())
    return tmp_path


def reader(library: str) -> Any:
    (source,) = [text for text in READERS if f"import {library}" in text]
    assert len([line for line in source.split("def ", 1)[1].splitlines() if line.strip()]) <= 11
    names: dict[str, Any] = {}
    exec(compile(source, str(PAGE), "exec"), names)
    return names["read"]


def test_ten_lines_of_pyarrow_read_a_home(home: Path) -> None:
    local = pyarrow.fs.SubTreeFileSystem(str(home), pyarrow.fs.LocalFileSystem())
    tables = list(reader("pyarrow")(local, "bucket", "eu/", "people", "IE"))
    assert len(tables) == len(TABLES)
    assert sorted(table.num_rows for table in tables) == [0, 5, 10]
    for table in tables:
        assert any(table.equals(rows) for rows in TABLES.values())


def test_ten_lines_of_duckdb_read_a_home(home: Path) -> None:
    records = reader("duckdb")(f"{home}/bucket/", "eu/", "people", "IE")
    assert records.columns == ["user", "country", "born", "grown"]
    users = {user for (user,) in records.project('"user"').fetchall()}
    assert users == {str(number) for number in range(15)}


def test_the_page_names_every_column_of_the_manifest() -> None:
    page = PAGE.read_text()
    assert all(f"`{name}`" in page for name in manifest.SCHEMA.names)
