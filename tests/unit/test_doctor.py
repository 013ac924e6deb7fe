"""The doctor: each grade has a cause, and what could not be seen is never well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.memory.bucket import HONEST, MemoryBucket
from repatria.doctor import PUT_BYTES_MAX, Patient, examine_site
from repatria.errors import AccessRefused, RepatriaError, Transient
from repatria.finding import Finding, Grade, verdict
from repatria.site import Site, SitePhase
from repatria.stored import About, Honours, Observed
from tests.people import DUBLIN, PROFILES, US
from tests.unit.failing_bucket import FailingBucket

SEEN = Observed(endpoint="e", location=DUBLIN.location, clock_skew_s=1.0)


def patient(
    site: Site = DUBLIN, seen: Observed = SEEN, honours: Honours = HONEST, prefix: str = "r/"
) -> Patient:
    bucket = MemoryBucket(site.name, honours=honours, observed=seen)
    return patient_of(bucket, site, prefix)


def patient_of(bucket: MemoryBucket, site: Site, prefix: str = "") -> Patient:
    return Patient(site=site, bucket=bucket, prefix=prefix, skew_s_max=60.0, put_bytes_max=1 << 30)


def grades(of: Patient, *, probing: bool = True) -> dict[str, Grade]:
    """Return what was found, by what it is about (the site's name left out)."""
    found = examine_site(of, [PROFILES], probing=probing)
    return {finding.about.partition(": ")[2]: finding.grade for finding in found}


def test_a_good_home_is_well_in_every_way() -> None:
    found = grades(patient())
    assert set(found.values()) == {Grade.WELL}
    assert {"place", "phase", "clock", "write", "If-None-Match", "If-Match"} <= found.keys()


@pytest.mark.parametrize(
    ("seen", "about", "grade"),
    [
        (replace(SEEN, location=None), "place", Grade.ILL),
        (replace(SEEN, location="us-east-1"), "place", Grade.ILL),
        (replace(SEEN, key_region="us-east-1"), "key", Grade.ILL),
        (replace(SEEN, clock_skew_s=61.0), "clock", Grade.CARE),
        (replace(SEEN, clock_skew_s=-61.0), "clock", Grade.CARE),
        (replace(SEEN, clock_skew_s=None), "clock", Grade.NOTE),
    ],
)
def test_what_is_seen_of_a_store_is_graded(seen: Observed, about: str, grade: Grade) -> None:
    assert grades(patient(seen=seen))[about] is grade


@pytest.mark.parametrize(
    ("lacks", "about", "grade"),
    [
        ("create_only", "If-None-Match", Grade.ILL),
        ("replace_only", "If-Match", Grade.ILL),
        ("checksums", "checksums", Grade.CARE),
        ("versions", "versions", Grade.CARE),
    ],
)
def test_a_promise_that_is_not_kept_is_graded(lacks: str, about: str, grade: Grade) -> None:
    assert grades(patient(honours=replace(HONEST, **{lacks: False})))[about] is grade


def test_a_home_that_is_not_open_is_a_note() -> None:
    for phase in set(SitePhase) - {SitePhase.OPEN}:
        assert grades(patient(replace(DUBLIN, phase=phase)))["phase"] is Grade.NOTE


def test_without_probing_nothing_is_written_and_nothing_is_said_to_be_well() -> None:
    looked_at = patient()
    assert grades(looked_at, probing=False)["promises"] is Grade.NOTE
    assert {r.operation for r in looked_at.bucket.requests} == {"observe", "list"}  # type: ignore[attr-defined]


def test_a_probe_writes_under_its_reserved_key_alone() -> None:
    looked_at = patient()
    grades(looked_at)
    keys = {r.key for r in looked_at.bucket.requests if r.operation == "put"}  # type: ignore[attr-defined]
    assert keys
    assert all(key.startswith("r/_repatria/doctor/probe") for key in keys)


class Away(MemoryBucket):
    """A store that fails when it is asked where it is."""

    def __init__(self, error: RepatriaError) -> None:
        super().__init__(DUBLIN.name)
        self._error = error

    def observe(self) -> Observed:
        raise self._error


def test_a_parcel_that_does_not_fit_one_put_is_ill() -> None:
    assert grades(patient())["multipart"] is Grade.WELL
    assert grades(replace(patient(), put_bytes_max=PUT_BYTES_MAX))["multipart"] is Grade.WELL
    assert grades(replace(patient(), put_bytes_max=PUT_BYTES_MAX + 1))["multipart"] is Grade.ILL


@pytest.mark.parametrize(
    ("site", "lacks", "about", "grade"),
    [
        (US, "pages", "pages", Grade.ILL),
        (US, "ranges", "Range", Grade.ILL),
        (US, "ends", "ends of listings", Grade.CARE),
        (US, "fresh", "If-Match of reads", Grade.CARE),
        (US, "versions", "versions", Grade.NOTE),
        (DUBLIN, "pages", "pages", Grade.ILL),
        (DUBLIN, "ends", "ends of listings", Grade.CARE),
        (DUBLIN, "fresh", "If-Match of reads", Grade.CARE),
    ],
)
def test_a_promise_to_readers_that_is_not_kept_is_graded(
    site: Site, lacks: str, about: str, grade: Grade
) -> None:
    bucket = MemoryBucket(site.name, observed=replace(SEEN, location=site.location))
    bucket.plant("profiles/a.parquet", b"x")
    assert grades(patient_of(bucket, site))[about] is Grade.WELL
    bucket.candour = replace(bucket.candour, **{lacks: False})
    assert grades(patient_of(bucket, site))[about] is grade


@pytest.mark.parametrize(
    ("may", "grade"), [(True, Grade.NOTE), (None, Grade.NOTE), (False, Grade.WELL)]
)
def test_credentials_of_a_source_that_could_write_are_a_note(
    may: bool | None, grade: Grade
) -> None:
    bucket = MemoryBucket(US.name, observed=replace(SEEN, location=US.location))
    bucket.writable = may
    assert grades(patient_of(bucket, US))["read-only"] is grade
    assert grades(patient_of(bucket, US), probing=False)["read-only"] is Grade.NOTE
    assert not {r.operation for r in bucket.requests} & {"put"}


@pytest.mark.parametrize("error", [Transient("away"), AccessRefused("no")])
def test_a_store_that_cannot_be_reached_is_ill_and_nothing_else_is_said(
    error: RepatriaError,
) -> None:
    asked = patient_of(Away(error), DUBLIN)
    (found,) = examine_site(asked, [PROFILES], probing=True)
    assert (found.about, found.grade) == ("dublin-1: reach", Grade.ILL)
    assert found.means


def test_a_source_that_can_be_read_is_well() -> None:
    asked = patient(US)
    asked.bucket.plant("r/profiles/a.parquet", b"x")  # type: ignore[attr-defined]
    assert grades(asked)["profiles"] is Grade.WELL


def test_a_source_without_an_object_needs_care() -> None:
    assert grades(patient(US))["profiles"] is Grade.CARE


def test_a_source_of_which_nothing_can_be_read_is_not_well() -> None:
    asked = patient(US)
    frozen = About(sha256="", storage_class="GLACIER")
    asked.bucket.plant("r/profiles/", b"")  # type: ignore[attr-defined]
    asked.bucket.plant("r/profiles/old.parquet", b"x", frozen)  # type: ignore[attr-defined]
    assert grades(asked)["profiles"] is Grade.CARE
    asked.bucket.plant("r/profiles/z.parquet", b"x")  # type: ignore[attr-defined]
    assert grades(asked)["profiles"] is Grade.WELL, "it looks for one that can"


@pytest.mark.parametrize("call", [0, 1])
def test_a_source_that_refuses_is_ill(call: int) -> None:
    bucket = FailingBucket()
    bucket._observed = SEEN
    bucket.plant("profiles/a.parquet", b"x")
    bucket.lost = [None] * call + [AccessRefused("no")]
    asked = patient_of(bucket, US)
    assert grades(asked)["profiles"] is Grade.ILL


def test_the_verdict_is_the_worst_grade() -> None:
    findings = [Finding("x", grade, "y") for grade in Grade]
    assert verdict(findings)[0] is Grade.ILL
    assert verdict(findings[:3])[0] is Grade.CARE
    assert verdict(findings[:2])[0] is Grade.NOTE
    assert verdict(findings[:1])[0] is Grade.WELL


def test_nothing_looked_at_is_not_well() -> None:
    assert verdict([])[0] is Grade.ILL


@pytest.mark.parametrize(
    ("method", "permissions"),
    [
        ("list", ["s3:ListBucket"]),
        ("head", ["s3:GetObject"]),
        ("read", ["s3:GetObject"]),
        ("tags", ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]),
    ],
)
def test_a_missing_permission_at_a_source_is_named(
    monkeypatch: pytest.MonkeyPatch, method: str, permissions: list[str]
) -> None:
    bucket = MemoryBucket(US.name, observed=Observed(endpoint="e", location=US.location))
    bucket.plant("profiles/a.parquet", b"records")

    def refuse(*_args: object, **_named: object) -> None:
        raise AccessRefused("the store refuses", site=US.name)

    monkeypatch.setattr(bucket, method, refuse)
    found = list(examine_site(patient_of(bucket, US), [PROFILES], probing=False))
    told = [f.means for f in found if f.grade is Grade.ILL]
    assert told == [f"the role needs {permission}" for permission in permissions]


@pytest.mark.parametrize(
    ("method", "permissions"),
    [
        ("list", ["s3:ListBucket"]),
        ("put", ["s3:PutObject", "s3:PutObjectTagging"]),
        ("head", ["s3:GetObject"]),
        ("read", ["s3:GetObjectVersion"]),
        ("tags", ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]),
    ],
)
def test_a_missing_permission_at_a_home_is_named(
    monkeypatch: pytest.MonkeyPatch, method: str, permissions: list[str]
) -> None:
    bucket = MemoryBucket(DUBLIN.name, observed=SEEN)

    def refuse(*_args: object, **_named: object) -> None:
        raise AccessRefused("the store refuses", site=DUBLIN.name)

    monkeypatch.setattr(bucket, method, refuse)
    found = list(examine_site(patient_of(bucket, DUBLIN), [PROFILES], probing=True))
    told = [f.means for f in found if f.grade is Grade.ILL and "the role needs" in f.means]
    assert told == [f"the role needs {permission}" for permission in permissions]


def test_answers_that_are_not_what_they_claim_are_told_from_a_store_that_is_away() -> None:
    for error, word in (
        (Transient("a page does not say what it is", site="us-east"), "nothing is taken from them"),
        (Transient("damaged", site="us-east", cause="ResponseParserError"), "nothing is taken"),
        (Transient("away", site="us-east", cause="ConnectTimeoutError"), "does not answer now"),
        (Transient("away", site="us-east", status=500), "does not answer now"),
    ):
        (found,) = examine_site(patient_of(Away(error), DUBLIN), [PROFILES], probing=True)
        assert word in found.means
