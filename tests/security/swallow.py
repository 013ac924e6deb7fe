"""Takes hostile objects through their codec in a process of its own, and tells what each cost.

Prints one line of JSON for each: the outcome (``read`` or the refusal), rows, refusals, peak
resident memory in MiB. Anything else is a crash.
"""

from __future__ import annotations

import json
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from connectors.formats.codec import Codec
from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from connectors.formats.parquet import Parquet
from repatria.dataset import ByCountry, Column, Dataset, Format
from repatria.errors import BadObject
from repatria.limits import MIB, Limits
from repatria.names import DatasetName, SiteName, SliceId
from repatria.slice import Slice
from repatria.stored import ObjectVersion

MEMORY_BYTES = 8 << 30
_CODECS: dict[Format, Callable[[Limits], Codec]] = {
    Format.PARQUET: Parquet,
    Format.JSONL: JsonLines,
    Format.CSV: Csv,
}


class OnDisk:
    """An object in a file, of which only what is asked for is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def read(self, start: int, stop: int) -> pa.Buffer:
        with self._path.open("rb") as file:
            file.seek(start)
            return pa.py_buffer(file.read(stop - start))

    @contextmanager
    def stream(self) -> Iterator[Iterator[bytes]]:
        with self._path.open("rb") as file:
            yield iter(lambda: file.read(MIB), b"")


def dataset(kind: Format) -> Dataset:
    return Dataset(
        name=DatasetName("people"),
        prefix="people/",
        format=kind,
        identity=(Column("user"),),
        user=Column("user"),
        residency=ByCountry("country"),
    )


def swallowed(path: Path, kind: Format, limits: Limits) -> dict[str, object]:
    """Read every batch, one at a time; return what came of it."""
    of, held = dataset(kind), OnDisk(path)
    piece = Slice(
        id=SliceId("0" * 32),
        dataset=of.name,
        site=SiteName("us"),
        object=ObjectVersion(path.name, held.size, "etag"),
        relative=path.name,
        label=path.name,
    )
    codec: Codec = _CODECS[kind](limits)
    rows, refused, outcome = 0, Counter[str](), "read"
    try:
        for batch in codec.batches(of, piece, held, None):
            rows += batch.rows.num_rows
            refused.update(map(str, batch.refused.reasons))
            del batch
    except BadObject as refusal:
        outcome = str(refusal)
    return {"outcome": outcome, "rows": rows, "refused": dict(refused), "peak_mib": peak_mib()}


def peak_mib() -> int:
    """Return the most memory that this process held since it was last asked (``VmHWM``)."""
    told = Path("/proc/self/status").read_text("ascii")
    line = next(line for line in told.splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _, kind, changes, *names = sys.argv
    for name in names:
        found = swallowed(Path(name), Format(kind), Limits(**json.loads(changes)))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        pa.default_memory_pool().release_unused()  # Each is to answer for itself alone.
