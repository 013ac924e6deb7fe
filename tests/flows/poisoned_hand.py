"""A hand whose decoder is ended or stalled by some objects, which tell by their names how.

``segv`` reads where nothing is, ``hang`` never comes to an end, and ``hold`` neither comes to
an end nor lets any other thread of the interpreter go on.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import Any

from connectors.formats.csv import Csv
from flows.hands import child
from repatria.batch import Batch

PROGRAM = (sys.executable, "-m", "tests.flows.poisoned_hand")
_decode = Csv.batches


def batches(self: Csv, dataset: Any, piece: Any, access: Any, after: Any) -> Iterator[Batch]:
    """Decode as the real one does, but for poison."""
    if "segv" in piece.label:
        ctypes.string_at(0)
    if "hang" in piece.label:
        _spin()
    if "hold" in piece.label:
        ctypes.PyDLL(None).sleep(3600)
    return _decode(self, dataset, piece, access, after)


def _spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    Csv.batches = batches  # type: ignore[method-assign]
    child.main(sys.argv[1:])
