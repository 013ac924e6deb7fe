"""The facts that a rehearsal's report tells: plain values, as JSON can hold them.

Names, counts, sizes and seconds; never a record, an identifier of a user, or a secret. A fact
that was not gathered is None and reads as "not known" in the report: never as zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict


class PlanFacts(TypedDict):
    """Which plan was rehearsed."""

    digest: str
    made_at: str
    expires_at: str
    datasets: Sequence[str]
    regions: Sequence[str]
    slices: int
    stripes: int
    bytes: int


class PassageFacts(TypedDict):
    """What would move: one dataset, one region. ``rows`` and ``bytes`` as rehearsed."""

    dataset: str
    region: str
    home: str
    standby: str | None
    rows: int
    bytes: int
    batches: int


class QuarantineFacts(TypedDict):
    """What would wait: records of one dataset for one reason. ``region`` "?" is not known."""

    dataset: str
    reason: str
    region: str
    rows: int


class FailureFacts(TypedDict):
    """An object that could not be read to its end. ``kind`` is a ``FailureKind``."""

    dataset: str
    site: str
    object: str
    kind: str
    why: str


class FindingFacts(TypedDict):
    """A finding of the doctor, made without any write. ``grade`` is a ``Grade``."""

    about: str
    grade: str
    says: str
    means: str


class ForecastFacts(TypedDict):
    """What a live run would take. ``cost`` is egress and requests together, where known."""

    rows: int
    bytes: int
    seconds: float
    seconds_low: float
    seconds_high: float
    cost: float | None
    currency: str | None


class RehearsalFacts(TypedDict):
    """Everything that the report tells.

    ``sample`` is the fraction that was read, None for everything. ``accounts`` has, per dataset,
    ``read moved stayed erased quarantined superseded bytes``. ``state`` is a ``RunState``.
    """

    run: str
    at: str
    state: str
    exit_code: int
    config_digest: str
    plan: PlanFacts
    sample: float | None
    workers: int
    seconds: float
    tally: Mapping[str, int]
    accounts: Mapping[str, Mapping[str, int]]
    moving: Sequence[PassageFacts]
    quarantine: Sequence[QuarantineFacts]
    failures: Sequence[FailureFacts]
    forecast: ForecastFacts | None
    warnings: Sequence[str]
    findings: Sequence[FindingFacts]
    audit: Mapping[str, int]
