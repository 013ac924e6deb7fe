"""Limits, as the configuration writes them: each within bounds, and none without a value."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from repatria.config.size import Bytes
from repatria.config.strict_model import Strict
from repatria.limits import MIB, SIZES, Limits, Memory

_DEFAULT: Final = Limits()
MemoryText = Literal["small", "default", "large"]
_TIB: Final = 1024 * 1024 * MIB


class LimitsModel(Strict):
    """What one run may use, and what one object or record may be."""

    memory: MemoryText = "default"
    """How much memory a run may take: `small` is 350 MB, `default` 700 MB, `large` 3 GB. Sets
    `batch_bytes`, `slice_bytes`, `bytes_in_flight`, `batch_bytes_hard` and `workers`, each of which
    counts as it is said here where it is."""

    batch_bytes: Annotated[int, Bytes(64 * 1024, 1024 * MIB)] = _DEFAULT.batch_bytes
    """Decoded bytes of a batch. Fixed once a ledger holds receipts."""

    slice_bytes: Annotated[int, Bytes(64 * 1024, _TIB)] = _DEFAULT.slice_bytes
    """Objects larger than this are cut, where they can be."""

    bundle_bytes: Annotated[int, Bytes(1, _TIB)] = _DEFAULT.bundle_bytes
    """A stripe closes at this many bytes of small objects."""

    stripe_bytes: Annotated[int, Bytes(1, 64 * _TIB)] = _DEFAULT.stripe_bytes
    """A stripe closes at this many bytes of objects of any size."""

    stripe_slices: Annotated[int, Field(ge=1, le=100_000)] = _DEFAULT.stripe_slices
    """A stripe closes at this many slices."""

    bytes_in_flight: Annotated[int, Bytes(64 * 1024, _TIB)] = _DEFAULT.bytes_in_flight
    """Decoded bytes that all workers of a machine may hold together."""

    workers: Annotated[int, Field(ge=1, le=256)] = _DEFAULT.workers
    """Threads that move stripes on one machine."""

    decoded_ratio: Annotated[int, Field(ge=2, le=1_000_000)] = _DEFAULT.decoded_ratio
    """Decoded bytes per stored byte, above which an object is refused."""

    batch_bytes_hard: Annotated[int, Bytes(64 * 1024, _TIB)] = _DEFAULT.batch_bytes_hard
    """A batch that decodes to more than this is refused."""

    rows_per_object: Annotated[int, Field(ge=1, le=10**12)] = _DEFAULT.rows_per_object
    """Records of one object."""

    columns: Annotated[int, Field(ge=1, le=100_000)] = _DEFAULT.columns
    """Columns of one object."""

    row_groups: Annotated[int, Field(ge=1, le=1_000_000)] = _DEFAULT.row_groups
    """Row groups of one Parquet object."""

    record_bytes: Annotated[int, Bytes(1024, 1024 * MIB)] = _DEFAULT.record_bytes
    """Bytes of one text record."""

    cell_bytes: Annotated[int, Bytes(1024, 1024 * MIB)] = _DEFAULT.cell_bytes
    """Bytes of one value: a value of a Parquet column, a CSV field, a text in a JSON record."""

    batch_rows: Annotated[int, Field(ge=1000, le=10**9)] = _DEFAULT.batch_rows
    """Records of one batch of JSON lines or CSV, however short they are."""

    batch_refusals: Annotated[int, Field(ge=1, le=10**8)] = _DEFAULT.batch_refusals
    """Malformed records of one batch; an object with more is set aside as a whole."""

    nesting: Annotated[int, Field(ge=1, le=500)] = _DEFAULT.nesting
    """Levels of lists and objects in one record."""

    key_bytes: Annotated[int, Field(ge=64, le=1024)] = _DEFAULT.key_bytes
    """Bytes of a key at a target store; longer ones are replaced by a digest."""

    attempts: Annotated[int, Field(ge=1, le=20)] = _DEFAULT.attempts
    """Attempts of one call to a store."""

    wait_s_max: Annotated[float, Field(ge=0, le=3600)] = _DEFAULT.wait_s_max
    """Seconds between two attempts of one call, at most."""

    call_s_max: Annotated[float, Field(gt=0, le=86_400)] = _DEFAULT.call_s_max
    """Seconds of one call, all its attempts and waits together."""

    decode_attempts: Annotated[int, Field(ge=1, le=100)] = _DEFAULT.decode_attempts
    """Decoders that may end or stall at one slice before it is let be."""

    decode_s_max: Annotated[float, Field(gt=0, le=86_400)] = _DEFAULT.decode_s_max
    """Seconds without a batch or a call to a store, after which who decodes is replaced."""

    lease_s: Annotated[float, Field(ge=1, le=3600)] = _DEFAULT.lease_s
    """Seconds without a beat after which a stripe may be taken over."""

    plan_valid_hours: Annotated[int, Field(ge=1, le=8760)] = _DEFAULT.plan_valid_hours
    """Hours after which a plan expires."""

    clock_skew_s: Annotated[float, Field(gt=0, le=900)] = _DEFAULT.clock_skew_s
    """Seconds by which our clock may differ from a store's."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        pairs = (
            ("record_bytes", "batch_bytes_hard"),
            ("batch_bytes", "batch_bytes_hard"),
            ("batch_bytes", "bytes_in_flight"),
            ("wait_s_max", "call_s_max"),
            ("call_s_max", "decode_s_max"),
            ("bundle_bytes", "stripe_bytes"),
        )
        limits = self.noun()
        wrong = [pair for pair in pairs if getattr(limits, pair[0]) > getattr(limits, pair[1])]
        if wrong:
            raise ValueError("; ".join(f"expected {less} ≤ {more}" for less, more in wrong))
        return self

    def noun(self) -> Limits:
        """Return the noun of this model."""
        said = self.model_dump(include=self.model_fields_set - {"memory"})
        return Limits(**{**SIZES[Memory(self.memory)], **said})
