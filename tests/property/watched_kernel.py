"""Feeds random records to a library that watches every access it makes; a program.

    LD_PRELOAD=$(cc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
        python -m tests.property.watched_kernel <library built with --sanitized>
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.body_digest import Crc
from connectors.formats.json_scan import JsonScan
from repatria.digest import Digester
from repatria.digest.kernel import Kernel
from repatria.native.library import opened
from tests.property.arrow_layouts import one_value
from tests.property.json_texts import COLUMNS, lines_of
from tests.property.test_digest import Fields, schemas, seeds, table_of

KEY = bytes(32)
EXAMPLES = 80


def watch(path: Path) -> None:
    """Digest every layout and body, and look at lines of JSON; the sanitisers end the process."""
    library = opened(path)
    assert library is not None, "the library can be loaded"
    digester, reference = Digester(KEY, Kernel(library)), Digester(KEY, None)

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
    @given(fields=schemas, seed=seeds, count=st.integers(0, 9))
    def any_layout(fields: Fields, seed: int, count: int) -> None:
        rng = Random(seed)
        rows = [[one_value(kind, rng) for _, kind in fields] for _ in range(count)]
        table = table_of(fields, rows, rng)
        assert (digester.records(table).pairs == reference.records(table).pairs).all()

    any_layout()
    for length in range(70):
        lines = pa.array([b"x" * length, b"y" * length + b"\r\n"])
        assert (digester.lines(lines).pairs == reference.lines(lines).pairs).all()
    scan = JsonScan(library, COLUMNS, nesting=5)
    for seed in range(EXAMPLES):
        scan.certain(lines_of(Random(seed), count=9))
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME"):
        for length in range(300):
            folded, plain = (Crc(algorithm, library, plain=plain) for plain in (False, True))
            body = Random(length).randbytes(length)
            folded.update(body)
            plain.update(body)
            assert folded.digest() == plain.digest()


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
    sys.stdout.write("watched\n")
