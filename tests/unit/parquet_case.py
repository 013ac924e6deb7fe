"""Takes one object through the codec in a process of its own: it may be hostile.

Prints ``equal``, ``different``, or ``refused`` with the reason; anything else is a crash.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import replace
from pathlib import Path

from connectors.formats.parquet import Parquet
from connectors.formats.parquet_open import open_footer
from repatria.dataset import ByCountry, Column
from repatria.errors import BadObject
from repatria.limits import Limits
from tests.unit.parquet_samples import PROFILES, Held, piece_of, same

MEMORY_BYTES = 6 << 30


def verdict(path: Path) -> str:
    held = Held(path.read_bytes())
    codec = Parquet(Limits())
    try:
        name = open_footer(held, path.name, Limits()).empty.schema.names[0]
        dataset = replace(
            PROFILES,
            identity=(Column(name),),
            user=Column(name),
            residency=ByCountry(name),
        )
        batches = list(codec.batches(dataset, piece_of(held, label=path.name), held, None))
    except BadObject as refusal:
        return f"refused: {refusal}"
    for batch in batches:
        body = codec.encode(dataset, batch.rows, b"", path.name)
        if not same(codec.decode(dataset, body, path.name), batch.rows):
            return "different"
    return "equal"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for name in sys.argv[1:]:
        sys.stdout.write(f"{name}\t{verdict(Path(name))}\n")
        sys.stdout.flush()
