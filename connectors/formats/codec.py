"""What every format must do: cut an object, decode it in batches, encode a parcel, decode it back.

A codec sees an object through ``Access`` and never a store, so that each works on every store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import pyarrow as pa

from repatria.batch import Batch
from repatria.dataset import Dataset
from repatria.names import Ordinal
from repatria.slice import Cut, Slice


class Access(Protocol):
    """One object at one frozen version."""

    @property
    def size(self) -> int: ...

    def read(self, start: int, stop: int) -> pa.Buffer:
        """Return exactly the bytes ``start`` to ``stop``."""
        ...

    def stream(self) -> AbstractContextManager[Iterator[bytes]]:
        """Read the whole object in sequence, in chunks of any size."""
        ...


class Codec(Protocol):
    """One format. Limits are given to the constructor."""

    def cut(self, dataset: Dataset, access: Access, name: str) -> tuple[Cut, ...]:
        """Cut an object, deterministically; ``(Whole(),)`` where it is small or cannot be cut.

        ``name`` is the relative key: its ending tells the compression where that is ``AUTO``.
        Raises ``BadObject`` for what is not of the format.
        """
        ...

    def batches(
        self, dataset: Dataset, piece: Slice, access: Access, after: Ordinal | None
    ) -> Iterator[Batch]:
        """Decode ``piece``, skipping batches up to ``after``; see ``Source.batches``."""
        ...

    def encode(self, dataset: Dataset, rows: pa.Table, preamble: bytes, name: str) -> pa.Buffer:
        """Write a parcel. Equal arguments give equal bytes; ``name`` as in ``cut``."""
        ...

    def decode(self, dataset: Dataset, body: pa.Buffer, name: str) -> pa.Table:
        """Read a parcel back: typed rows, or ``__line`` alone (a CSV header is left out).

        Raises ``ReadBackMismatch`` for what is not a parcel that ``encode`` wrote.
        """
        ...
