"""The doctor: what is there, what is allowed, what a store honours, and what follows from it.

Every finding says what was seen and what it means for safety. Not being able to see something is
a finding of its own and never counts as well (law 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from repatria.allowance import arriving, away, lacking, listing, readable, reading
from repatria.dataset import Dataset
from repatria.errors import RepatriaError
from repatria.finding import Finding, Grade
from repatria.ports.bucket import Bucket
from repatria.promises import READING, READING_BACK, WRITING, candour_of
from repatria.site import Role, Site, SitePhase
from repatria.stored import Found

PROBE_KEY: Final = "_repatria/doctor/probe"
ALLOWED_KEY: Final = f"{PROBE_KEY}/allowed"
CAPACITY_LOW: Final = 2 * 1024**3

PUT_BYTES_MAX: Final = 5 * 1024**3
"""The largest object that S3 takes in one put ("Amazon S3 multipart upload limits")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A site with its store, as a role of ours would use it. ``prefix`` is the store's root.

    ``put_bytes_max`` is the largest parcel that the limits let pass.
    """

    site: Site
    bucket: Bucket
    prefix: str
    skew_s_max: float
    put_bytes_max: int


def examine_site(
    patient: Patient, datasets: Sequence[Dataset], *, probing: bool
) -> Iterator[Finding]:
    """Look at one site. ``probing`` writes a few tiny objects under a reserved key of a home.

    Stops at the first finding that makes the others pointless: a store that cannot be reached.
    """
    name = patient.site.name
    try:
        observed = patient.bucket.observe()
    except RepatriaError as error:
        yield away(name, "reach", error)
        return
    yield _location(patient.site, observed.location)
    if observed.key_region is not None and observed.key_region != patient.site.location:
        yield Finding(f"{name}: key", Grade.ILL, f"the key at rest lives in {observed.key_region}")
    yield _phase(patient.site)
    yield _skew(patient, observed.clock_skew_s)
    if patient.site.role is Role.ENCLAVE:
        yield from _target(patient, probing=probing)
    else:
        yield from _source(patient, datasets, probing=probing)


def _location(site: Site, seen: str | None) -> Finding:
    about = f"{site.name}: place"
    if seen is None:
        return Finding(
            about, Grade.ILL, "the store does not say where it is", "the gate refuses it"
        )
    if seen != site.location:
        says = f"the store says {seen}, the configuration says {site.location}"
        return Finding(about, Grade.ILL, says, "the gate refuses to write here")
    return Finding(about, Grade.WELL, f"stands in {seen} ({site.jurisdiction}), as configured")


def _phase(site: Site) -> Finding:
    about = f"{site.name}: phase"
    if site.role is not Role.ENCLAVE or site.phase is SitePhase.OPEN:
        return Finding(about, Grade.WELL, f"{site.phase}")
    return Finding(
        about, Grade.NOTE, f"{site.phase}", "rehearsals may look at it; live runs refuse"
    )


def _skew(patient: Patient, skew: float | None) -> Finding:
    about = f"{patient.site.name}: clock"
    if skew is None:
        return Finding(about, Grade.NOTE, "the store does not tell its time")
    if abs(skew) > patient.skew_s_max:
        says = f"differs from ours by {skew:+.0f} s"
        return Finding(about, Grade.CARE, says, "signatures fail beyond 15 minutes; set the clock")
    return Finding(about, Grade.WELL, f"agrees with ours within {patient.skew_s_max:.0f} s")


def _source(patient: Patient, datasets: Sequence[Dataset], *, probing: bool) -> Iterator[Finding]:
    """Try what a source's role must be allowed to do; a source is only read."""
    name, ill = patient.site.name, False
    for dataset in datasets:
        about = f"{name}: {dataset.name}"
        for finding in _dataset(patient, about, patient.prefix + dataset.prefix):
            ill = ill or finding.grade is Grade.ILL
            yield finding
    try:
        prefixes = [patient.prefix + dataset.prefix for dataset in datasets]
        seen = candour_of(patient.bucket, prefixes)
        for promise in READING:
            yield promise.finding(name, seen)
        yield _read_only(patient, probing=probing)
    except RepatriaError as error:
        if not ill:  # What stands in the way was told already.
            yield away(name, "reading", error)


def _dataset(patient: Patient, about: str, prefix: str) -> Iterator[Finding]:
    found = list[Found]()
    denied = list(lacking(about, listing(patient.bucket, prefix, found)))
    if denied:
        yield from denied
        return
    if not found:
        yield Finding(about, Grade.CARE, "no object under its prefix", "an empty plan")
        return
    denied = list(lacking(about, reading(patient.bucket, found)))
    yield from denied
    if readable(found) is None:
        says = "can be listed; nothing was found that could be read"
        yield Finding(about, Grade.CARE, says, "reading was not tried")
    elif not denied:
        yield Finding(about, Grade.WELL, "can be listed, looked at and read, tags too")


def _read_only(patient: Patient, *, probing: bool) -> Finding:
    """Ask whether a source's credentials could write: nothing of ours ever does."""
    about = f"{patient.site.name}: read-only"
    may = patient.bucket.may_put(patient.prefix + ALLOWED_KEY) if probing else None
    if may is None:
        return Finding(about, Grade.NOTE, "not known whether these credentials can write")
    if may:
        means = "Repatria never writes there; credentials without s3:PutObject are safer to hold"
        return Finding(about, Grade.NOTE, "these credentials can write", means)
    return Finding(about, Grade.WELL, "these credentials cannot write")


def _target(patient: Patient, *, probing: bool) -> Iterator[Finding]:
    name, bucket = patient.site.name, patient.bucket
    denied = list(lacking(f"{name}: list", listing(bucket, patient.prefix, [])))
    yield from denied
    yield _one_put(patient)
    if not probing:
        yield Finding(f"{name}: promises", Grade.NOTE, "not tried: that needs a write")
        return
    more = list(lacking(f"{name}: write", arriving(bucket, patient.prefix + ALLOWED_KEY)))
    yield from more
    denied += more
    key = patient.prefix + PROBE_KEY
    if not denied:
        yield Finding(f"{name}: write", Grade.WELL, "objects can be put, tagged and read back")
    try:
        honours = bucket.probe(key)
        for promise in WRITING:
            yield promise.finding(name, honours)
        candour = bucket.probe_reads(f"{key}/")
        for promise in READING_BACK:
            yield promise.finding(name, candour)
    except RepatriaError as error:
        if not denied:  # What stands in the way was told already.
            yield away(name, "promises", error)


def _one_put(patient: Patient) -> Finding:
    """Say that no upload in parts is needed, or that one would be."""
    about = f"{patient.site.name}: multipart"
    if patient.put_bytes_max > PUT_BYTES_MAX:
        says = f"a parcel of {patient.put_bytes_max} bytes does not fit one put"
        return Finding(about, Grade.ILL, says, "lower `limits.batch_bytes_hard` to 5 GiB or less")
    return Finding(about, Grade.WELL, "not needed: a parcel is one put, whole or not at all")
