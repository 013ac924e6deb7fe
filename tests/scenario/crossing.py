"""One object of others amid two good ones, moved from end to end: plan, migrate, verify.

``python -m tests.scenario.crossing path …`` does so for Parquet objects, which may be hostile, and
prints ``arrived``, ``refused`` with the reason, or what went wrong.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from connectors.formats.parquet import Parquet
from connectors.formats.parquet_open import open_footer
from repatria.dataset import ByCountry, Column, ColumnType, Dataset, Format
from repatria.errors import BadObject
from repatria.limits import Limits
from repatria.names import DatasetName
from repatria.ports.ledger import Failure
from tests.scenario.enclave import BEHIND, CODECS, Enclave
from tests.unit.parquet_samples import Held, piece_of, same

MEMORY_BYTES: Final = 6 << 30
CASES: Final = Dataset(
    name=DatasetName("cases"),
    prefix="cases/",
    format=Format.PARQUET,
    identity=(Column("case_n", ColumnType.INT64),),
    user=Column("case_user"),
    residency=ByCountry("case_country"),
)


class Crossing:
    """A world of one dataset, filled with objects by their keys, and moved."""

    def __init__(self, folder: Path, dataset: Dataset, objects: Mapping[str, bytes]) -> None:
        self.dataset = dataset
        self.enclave = Enclave(folder, datasets={dataset.name: dataset})
        for name, body in objects.items():
            self.enclave.us.plant(dataset.prefix + name, body)
        self.plan = self.enclave.plan()
        self.ending = self.enclave.migrate(self.plan)

    @property
    def failures(self) -> dict[str, Failure]:
        """What could not be read, by object."""
        told = self.enclave.ledger.failures()
        return {failure.label.removesuffix(" at us-east"): failure for failure in told}

    @property
    def refused(self) -> Counter[str]:
        """How many records wait, by reason."""
        found: Counter[str] = Counter()
        for entry in self.enclave.ledger.waiting():
            found[entry.reason] += len(entry.positions)
        return found

    def home(self, name: str) -> list[Any]:
        """Return the parcels of an object, in order, as they stand in Dublin."""
        stem, dot, ending = name.partition(".")
        front = f"{self.dataset.name}/region=IE/{stem}"
        keys = sorted(key for key in self.enclave.standing() if key.startswith(front))
        keys = [key for key in keys if key == front + dot + ending or f"{front}~part-" in key]
        dublin = self.enclave.dublin
        return [dublin.read(dublin.head(key).object) for key in keys]

    def check_books(self) -> int:
        """Check that all adds up, verification included; return how many records moved."""
        receipts = [receipt.checked() for receipt in self.enclave.ledger.receipts()]
        moved = sum(receipt.moved for receipt in receipts)
        waits = sum(receipt.quarantined for receipt in receipts)
        assert sum(receipt.read for receipt in receipts) == moved + waits, "each record, once"
        assert waits == self.refused.total() == self.ending.waiting
        told = self.enclave.verify(self.plan)
        assert sum(one.matched for one in told) == moved
        assert sum(one.altered + one.missing + one.extra for one in told) == 0
        assert not any(BEHIND in key for key in self.enclave.standing())
        return moved


def with_people(rows: pa.Table) -> pa.Table:
    """Say whose each row is, in columns before those of the rows."""
    count = rows.num_rows
    columns: list[tuple[str, pa.Array[Any]]] = [
        ("case_country", pa.array(["IE"] * count, pa.string())),
        ("case_user", pa.array([f"u{number}" for number in range(count)], pa.string())),
        ("case_n", pa.array(range(count), pa.int64())),
    ]
    for name, column in columns:
        rows = rows.add_column(0, pa.field(name, column.type), column)
    return rows


def written(rows: pa.Table) -> bytes:
    return Parquet(Limits()).encode(CASES, rows, b"", "a.parquet").to_pybytes()


def crossed(path: Path) -> str:
    """Move one Parquet object: as it is if it cannot be read, else with people in it."""
    held = Held(path.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        try:
            dataset = first_column_decides(held)
        except BadObject:
            dataset = CASES
        piece = piece_of(held, label=path.name)
        try:
            batches = list(Parquet(Limits()).batches(dataset, piece, held, None))
        except BadObject:
            return refused(Path(folder), dataset, path.read_bytes())
        return arrived(Path(folder), with_people(pa.concat_tables(b.rows for b in batches)))


def first_column_decides(held: Held) -> Dataset:
    name = open_footer(held, "case", Limits()).empty.schema.names[0]
    return replace(CASES, identity=(Column(name),), user=Column(name), residency=ByCountry(name))


def good(dataset: Dataset) -> bytes:
    """Write two records with the columns that decide, whatever they are called."""
    columns: dict[str, Any] = {
        dataset.user.name: pa.array(["IE", "IE"]),
        dataset.residency.column: pa.array(["IE", "IE"]),  # type: ignore[union-attr]
    }
    for column in dataset.identity:
        typed = pa.array([1, 2]) if column.type is ColumnType.INT64 else pa.array(["IE", "IE"])
        columns[column.name] = typed
    return written(pa.table(columns))


def refused(folder: Path, dataset: Dataset, body: bytes) -> str:
    objects = {"a.parquet": good(dataset), "case.parquet": body, "z.parquet": good(dataset)}
    crossing = Crossing(folder, dataset, objects)
    if set(crossing.failures) != {"case.parquet"}:
        return f"wrong: other objects failed: {sorted(crossing.failures)}"
    if len(crossing.home("a.parquet")) != 1 or len(crossing.home("z.parquet")) != 1:
        return "wrong: a neighbour did not arrive"
    if crossing.check_books() < 4:
        return "wrong: records of a neighbour are lost"
    return f"refused: {crossing.failures['case.parquet'].why}"


def arrived(folder: Path, rows: pa.Table) -> str:
    objects = {"a.parquet": good(CASES), "case.parquet": written(rows), "z.parquet": good(CASES)}
    crossing = Crossing(folder, CASES, objects)
    if crossing.failures or crossing.refused:
        return f"wrong: {crossing.failures} {crossing.refused}"
    codec = CODECS[Format.PARQUET]
    parcels = [codec.decode(CASES, body, "case.parquet") for body in crossing.home("case.parquet")]
    if rows.num_rows and not same(pa.concat_tables(parcels), rows):
        return "different"
    if crossing.check_books() != rows.num_rows + 4:
        return "wrong: not every record moved"
    return "arrived"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for name in sys.argv[1:]:
        sys.stdout.write(f"{name}\t{crossed(Path(name))}\n")
        sys.stdout.flush()
