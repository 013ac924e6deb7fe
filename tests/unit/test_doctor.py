"""The doctor: each grade has a cause, and what could not be seen is never well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.memory.bucket import HONEST, MemoryBucket
from repatria.doctor import Finding, Grade, Patient, examine_site, verdict
from repatria.errors import AccessRefused, RepatriaError, Transient
from repatria.site import Site, SitePhase
from repatria.stored import About, Honours, Observed
from tests.people import DUBLIN, PROFILES, US
from tests.unit.failing_bucket import FailingBucket

SEEN = Observed(endpoint="e", location=DUBLIN.location, clock_skew_s=1.0)


def patient(
    site: Site = DUBLIN, seen: Observed = SEEN, honours: Honours = HONEST, prefix: str = "r/"
) -> Patient:
    bucket = MemoryBucket(site.name, honours=honours, observed=seen)
    return Patient(site=site, bucket=bucket, prefix=prefix, skew_s_max=60.0)


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


@pytest.mark.parametrize("error", [Transient("away"), AccessRefused("no")])
def test_a_store_that_cannot_be_reached_is_ill_and_nothing_else_is_said(
    error: RepatriaError,
) -> None:
    asked = Patient(site=DUBLIN, bucket=Away(error), prefix="", skew_s_max=60.0)
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
    asked = Patient(site=US, bucket=bucket, prefix="", skew_s_max=60.0)
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
    ("method", "permission"),
    [
        ("list", "s3:ListBucket"),
        ("head", "s3:GetObject"),
        ("read", "s3:GetObject"),
        ("tags", "s3:GetObjectTagging"),
    ],
)
def test_a_missing_permission_is_named(
    monkeypatch: pytest.MonkeyPatch, method: str, permission: str
) -> None:
    bucket = MemoryBucket(US.name, observed=Observed(endpoint="e", location=US.location))
    bucket.plant("profiles/a.parquet", b"records")

    def refuse(*_args: object, **_named: object) -> None:
        raise AccessRefused("the store refuses", site=US.name)

    monkeypatch.setattr(bucket, method, refuse)
    found = list(
        examine_site(
            Patient(site=US, bucket=bucket, prefix="", skew_s_max=60.0), [PROFILES], probing=False
        )
    )
    assert [f"the role needs {permission}"] == [f.means for f in found if f.grade is Grade.ILL]
