"""Limits: everything has one. Units stand last in each name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MIB = 1024 * 1024


class Memory(StrEnum):
    """How much memory a machine gives, by a name that sets several limits at once."""

    SMALL = "small"  #: 350 MB.
    DEFAULT = "default"  #: 700 MB.
    LARGE = "large"  #: 3 GB.


SIZES: Final[Mapping[Memory, Mapping[str, int]]] = {
    Memory.SMALL: {
        "batch_bytes": 8 * MIB,
        "slice_bytes": 256 * MIB,
        "bytes_in_flight": 64 * MIB,
        "batch_bytes_hard": 256 * MIB,
        "workers": 1,
    },
    Memory.DEFAULT: {},
    Memory.LARGE: {
        "batch_bytes": 256 * MIB,
        "slice_bytes": 1024 * MIB,
        "bytes_in_flight": 4096 * MIB,
        "workers": 4,
    },
}
"""What each name sets beside the defaults below; what is measured stands in docs/performance.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use, and what one object or record may be."""

    batch_bytes: int = 64 * MIB  #: Decoded bytes of a batch; fixed once there are receipts.
    slice_bytes: int = 512 * MIB  #: Objects larger than this are cut, where they can be.
    bundle_bytes: int = 64 * MIB  #: A stripe closes at this many bytes of small objects …
    stripe_bytes: int = 256 * MIB  #: … or of all objects …
    stripe_slices: int = 5_000  #: … or at this many slices.
    bytes_in_flight: int = 512 * MIB  #: Decoded bytes held by all workers together.
    workers: int = 2
    decoded_ratio: int = 1_000  #: Decoded bytes per stored byte.
    batch_bytes_hard: int = 1024 * MIB  #: A batch that decodes to more than this is refused.
    rows_per_object: int = 1_000_000_000
    columns: int = 5_000
    row_groups: int = 100_000
    batch_rows: int = 16_000_000  #: Records of a batch of text, however short they are.
    batch_refusals: int = 250_000  #: Beyond this many, an object is not of its format.
    record_bytes: int = 16 * MIB
    cell_bytes: int = 16 * MIB  #: Of one value.
    nesting: int = 100
    key_bytes: int = 1024
    attempts: int = 5  #: Of one call to a store.
    wait_s_max: float = 60.0  #: Between two attempts of one call.
    call_s_max: float = 300.0  #: Of one call, all its attempts and waits together.
    decode_attempts: int = 3  #: Deaths of decoders at one slice, after which it is let be.
    decode_s_max: float = 600.0  #: Without a sign of life of whoever decodes.
    lease_s: float = 15.0
    plan_valid_hours: int = 168
    clock_skew_s: float = 60.0
