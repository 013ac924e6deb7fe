"""The doctor: what is there, what is allowed, what a store honours, and what follows from it.

Every finding says what was seen and what it means for safety. Not being able to see something is
a finding of its own and never counts as well (law 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from repatria.dataset import Dataset
from repatria.errors import AccessRefused, RepatriaError, Transient
from repatria.ports.bucket import Bucket
from repatria.site import Role, Site, SitePhase
from repatria.stored import Found


class Grade(StrEnum):
    """How a finding bears on the work."""

    WELL = "well"
    NOTE = "note"  #: Good to know; nothing is at risk.
    CARE = "care"  #: It works, in a slower or weaker way.
    ILL = "ill"  #: The main job cannot be done safely until this is mended.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    grade: Grade
    says: str
    means: str = ""


PROBE_KEY: Final = "_repatria/doctor/probe"
CAPACITY_LOW: Final = 2 * 1024**3
_LOOKED_AT: Final = 100
"""So many objects of a dataset are looked through for one that can be read."""


_CAUSES: Final = {
    "NoSuchBucket": "there is no such bucket: correct `bucket` in the store's configuration",
    "NoCredentialsError": "no credentials were found where the store's `credentials` point",
    "InvalidAccessKeyId": "the store does not know these credentials",
    "SignatureDoesNotMatch": "the secret of these credentials is another one",
    "ProfileNotFound": "there is no such profile in the AWS configuration of this machine",
    "ExpiredToken": "these credentials have expired",
}
"""What an S3 error code means for whoever configured the store."""

Tries = list[tuple[str, Callable[[], object]]]
"""What to try, each with the permission that it needs."""

_NEEDED: Final = {
    "reach": "the role needs s3:GetBucketLocation",
    "write": "the role needs s3:PutObject, s3:GetObject and s3:GetBucketVersioning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A site with its store, as a role of ours would use it. ``prefix`` is the store's root."""

    site: Site
    bucket: Bucket
    prefix: str
    skew_s_max: float


def examine_site(
    patient: Patient, datasets: Sequence[Dataset], *, probing: bool
) -> Iterator[Finding]:
    """Look at one site. ``probing`` writes a few tiny objects under a reserved key.

    Stops at the first finding that makes the others pointless: a store that cannot be reached.
    """
    name = patient.site.name
    try:
        observed = patient.bucket.observe()
    except RepatriaError as error:
        yield _away(name, "reach", error)
        return
    yield _location(patient.site, observed.location)
    if observed.key_region is not None and observed.key_region != patient.site.location:
        yield Finding(f"{name}: key", Grade.ILL, f"the key at rest lives in {observed.key_region}")
    yield _phase(patient.site)
    yield _skew(patient, observed.clock_skew_s)
    if patient.site.role is Role.ENCLAVE:
        yield from _target(patient, probing=probing)
    else:
        yield from _source(patient, datasets)


def _away(name: str, what: str, error: RepatriaError) -> Finding:
    means = error.hint
    if isinstance(error, AccessRefused):
        means = _CAUSES.get(_cause(error), _NEEDED.get(what, error.hint))
    if isinstance(error, Transient):
        means = "the store does not answer now; nothing else was looked at"
    return Finding(f"{name}: {what}", Grade.ILL, str(error), means)


def _cause(error: RepatriaError) -> str:
    return str(error.facts.get("code") or error.facts.get("cause") or "")


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


def _source(patient: Patient, datasets: Sequence[Dataset]) -> Iterator[Finding]:
    """Try what a source's role must be allowed to do, one permission at a time."""
    for dataset in datasets:
        about = f"{patient.site.name}: {dataset.name}"
        found = list[Found]()
        prefix = patient.prefix + dataset.prefix
        lacking = list(_lacking(about, _listing(patient.bucket, prefix, found)))
        if lacking:
            yield from lacking
        elif not found:
            yield Finding(about, Grade.CARE, "no object under its prefix", "an empty plan")
        else:
            yield from _reading(patient, about, found)


def _reading(patient: Patient, about: str, found: Sequence[Found]) -> Iterator[Finding]:
    bucket, first = patient.bucket, found[0].object
    readable = next((one.object for one in found if one.object.size and not one.archived), None)
    tries: Tries = [
        ("s3:GetObject", lambda: bucket.head(first.key)),
        ("s3:GetObjectTagging", lambda: bucket.tags(first.key)),
    ]
    if readable is not None:
        tries.insert(1, ("s3:GetObject", lambda: bucket.read(readable, 0, 1)))
    lacking = list(_lacking(about, tries))
    yield from lacking
    if readable is None:
        says = "can be listed; nothing was found that could be read"
        yield Finding(about, Grade.CARE, says, "reading was not tried")
    elif not lacking:
        yield Finding(about, Grade.WELL, "can be listed, looked at and read, tags too")


def _listing(bucket: Bucket, prefix: str, found: list[Found]) -> Tries:
    return [("s3:ListBucket", lambda: found.extend(islice(bucket.list(prefix), _LOOKED_AT)))]


def _lacking(about: str, tries: Tries) -> Iterator[Finding]:
    """Try each in turn, and name each permission that is missing once."""
    told = set[str]()
    for permission, call in tries:
        try:
            call()
        except AccessRefused as error:
            if permission not in told:
                told.add(permission)
                yield Finding(about, Grade.ILL, str(error), f"the role needs {permission}")
        except RepatriaError as error:
            name, _, what = about.partition(": ")
            yield _away(name, what, error)
            return


def _target(patient: Patient, *, probing: bool) -> Iterator[Finding]:
    name = patient.site.name
    lacking = list(_lacking(f"{name}: list", _listing(patient.bucket, patient.prefix, [])))
    yield from lacking
    if not probing:
        yield Finding(f"{name}: promises", Grade.NOTE, "not tried: that needs a write")
        return
    try:
        honours = patient.bucket.probe(patient.prefix + PROBE_KEY)
    except RepatriaError as error:
        yield _away(name, "write", error)
        return
    yield Finding(f"{name}: write", Grade.WELL, "objects can be put and read back")
    for what, honoured, loss in (
        ("If-None-Match", honours.create_only, "two writers could overwrite each other"),
        ("If-Match", honours.replace_only, "a replaced parcel could hide another writer's"),
    ):
        yield _promise(f"{name}: {what}", loss, Grade.ILL, honoured=honoured)
    loss = "damage on the way is found by reading back instead"
    yield _promise(f"{name}: checksums", loss, Grade.CARE, honoured=honours.checksums)
    loss = "an overwritten parcel cannot be brought back"
    yield _promise(f"{name}: versions", loss, Grade.CARE, honoured=honours.versions)


def _promise(about: str, loss: str, worst: Grade, *, honoured: bool | None) -> Finding:
    if honoured:
        return Finding(about, Grade.WELL, "honoured")
    seen = "not honoured" if honoured is False else "could not be tried"
    return Finding(about, worst, seen, loss)


def verdict(findings: Sequence[Finding]) -> tuple[Grade, str]:
    """Return the worst grade, and one line that says what it means."""
    order = list(Grade)
    worst = max((finding.grade for finding in findings), key=order.index, default=Grade.ILL)
    counts = {grade: sum(f.grade is grade for f in findings) for grade in order}
    if not findings:
        return worst, "nothing was looked at"
    if worst is Grade.ILL:
        return worst, f"not ready: {counts[Grade.ILL]} of {len(findings)} findings stand in the way"
    if worst is Grade.CARE:
        return worst, f"ready, with care: {counts[Grade.CARE]} findings to know about"
    return worst, f"ready: {len(findings)} findings, nothing stands in the way"
