"""Stores that lie: each lie is told to the real command, which finds it out, and to the engine.

The engine refuses to depend on what is not there, or takes the slower way. What an honest pair of
stores comes to is asked first, so that each lie is blamed for what it alone changes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.live import lies, two_stores
from tests.live.console import Console
from tests.live.proxy import Answer, Teller, forwarded, reads_alone
from tests.live.two_stores import TwoStores, irish, lines

REFUSED, CORRUPT, AWAY, INCOMPLETE = 10, 11, 12, 14
Found = list[tuple[str, str, str]]
"""What each finding that is not well is about, its grade, and what it means."""


@pytest.fixture(scope="module")
def laid_down(s3_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoStores]:
    """Two buckets that keep versions, for all of these tests; nothing is ever moved."""
    folder = tmp_path_factory.mktemp("lies")
    with two_stores.opened(s3_endpoint, "lying", folder) as stores:
        for bucket in stores.buckets.values():
            stores.s3.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        yield stores


@pytest.fixture
def stores(laid_down: TwoStores) -> TwoStores:
    """Return both stores honest, the source read-only."""
    laid_down.doors["us"].permits = reads_alone
    for door in laid_down.doors.values():
        door.tells = lies.honest
        door.asked.clear()
    return laid_down


@pytest.fixture
def console(
    stores: TwoStores, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Console:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(stores.config.parent / "no-profiles.toml"))
    made = Console(stores.config, capfd, monkeypatch)
    if not (stores.config.parent / "state").exists():
        made.expect(0, "init")
    forget(stores)
    return made


def forget(stores: TwoStores) -> None:
    """Forget what the stores were seen to honour."""
    shutil.rmtree(stores.config.parent / "state" / "promises", ignore_errors=True)


def examined(console: Console) -> Found:
    """Return what the doctor found that is not well at the two sites."""
    told: dict[str, Any] = json.loads(console.run("doctor", "--json").out)
    return [
        (finding["about"], finding["grade"], finding["means"])
        for finding in told["findings"]
        if finding["grade"] != "well" and ": " in finding["about"]
    ]


def test_honest_stores_are_well_and_a_source_is_only_read(
    stores: TwoStores, console: Console
) -> None:
    assert examined(console) == []
    assert examined(console) == [], "what an earlier look left behind changes nothing"
    asked = stores.doors["us"].asked
    others = [it for it in asked if it.method not in ("GET", "HEAD")]
    assert {(it.method, it.status) for it in others} == {("POST", 403)}
    assert all("uploadId=" in it.path for it in others), "asked whether it could, and no more"


Lies = dict[str, tuple[Teller, dict[str, str]]]
"""Each lie by its name, and what it is found out as."""

AT_HOME: Lies = {
    "overwrites": (lies.ignoring("If-None-Match", lies.is_put), {"If-None-Match": "ill"}),
    "replaces anything": (lies.ignoring("If-Match", lies.is_put), {"If-Match": "ill"}),
    "takes any body": (lies.accepting_any_body, {"checksums": "care"}),
    "forgets": (lies.saying(lies.asks("versioning"), lies.unversioned), {"versions": "care"}),
    "hides what was put": (
        lies.saying(lies.is_list, lies.without_the_last),
        {"listing": "ill", "pages": "ill"},
    ),
    "ends early": (lies.ending_early, {"ends of listings": "care"}),
    "reads anything": (
        lies.ignoring("If-Match", lies.is_get),
        {"If-Match of reads": "care"},
    ),
    "lists nothing": (lies.saying(lies.is_list, lies.empty), {"list": "ill", "listing": "ill"}),
    "is ahead": (lies.clock_of(hours=2), {"clock": "care"}),
    "stands elsewhere": (lies.saying(lies.asks("location"), lies.elsewhere), {"place": "ill"}),
    "may do less": (lies.denying(lies.is_tagged_put), {"write": "ill"}),
}
AT_SOURCE: Lies = {
    "ends early": (lies.ending_early, {"ends of listings": "care"}),
    "begins again": (lies.beginning_again, {"pages": "ill"}),
    "leaves out": (lies.saying(lies.is_list, lies.without_the_last), {"pages": "ill"}),
    "lists backwards": (
        lies.saying(lies.is_list, lies.backwards),
        {
            "people": "ill",
            "pages": "ill",
            "ends of listings": "note",
            "If-Match of reads": "note",
            "Range": "note",
        },
    ),
    "does not count": (lies.saying(lies.is_list, lies.uncounted), {"people": "ill"}),
    "breaks off": (lies.saying(lies.is_list, lies.cut), {"people": "ill"}),
    "lists nothing": (lies.saying(lies.is_list, lies.empty), {"people": "ill"}),
    "reads all": (lies.ignoring("Range", lies.is_get), {"people": "ill", "Range": "ill"}),
    "reads beside": (lies.shifted, {"Range": "ill"}),
    "reads anything": (
        lies.ignoring("If-Match", lies.is_get),
        {"If-Match of reads": "care"},
    ),
    "is behind": (lies.clock_of(hours=-2), {"clock": "care"}),
}


@pytest.mark.parametrize(("home", "source"), list(zip(AT_HOME, AT_SOURCE, strict=True)))
def test_each_lie_is_found_and_nothing_else_is_blamed(
    stores: TwoStores, console: Console, home: str, source: str
) -> None:
    told: dict[str, str] = {}
    for site, (lie, found) in (("dublin", AT_HOME[home]), ("us", AT_SOURCE[source])):
        stores.doors[site].tells = lie
        told |= {f"{site}: {about}": grade for about, grade in found.items()}
    seen = examined(console)
    assert {about: grade for about, grade, _ in seen} == told
    assert all(means for _, _, means in seen), "it says what follows"


DENIED = [
    (lies.is_list, "s3:ListBucket", "s3:ListBucket"),
    (lies.is_head, "s3:GetObject", "s3:GetObject"),
    (lies.is_get, "s3:GetObjectVersion", "s3:GetObject"),
    (lies.asks("tagging"), "s3:GetObjectTagging", "s3:GetObjectTagging"),
    (lies.asks("location"), "s3:GetBucketLocation", "s3:GetBucketLocation"),
    (lies.asks("versioning"), "s3:GetBucketVersioning", None),
    (lies.is_put, "s3:PutObject", None),
    (lies.is_tagged_put, "s3:PutObjectTagging", None),
]


@pytest.mark.parametrize(("which", "at_home", "at_source"), DENIED)
def test_a_permission_that_a_role_lacks_is_named(
    stores: TwoStores, console: Console, which: lies.Asks, at_home: str, at_source: str | None
) -> None:
    for door in stores.doors.values():
        door.tells = lies.denying(which)
    seen = examined(console)
    told = {(about.partition(": ")[0], means) for about, grade, means in seen if grade == "ill"}
    assert ("dublin", f"the role needs {at_home}") in told
    if at_source is None:
        assert "us" not in {site for site, _ in told}, "a source can do without it"
    else:
        assert ("us", f"the role needs {at_source}") in told


def test_credentials_that_could_write_at_a_source_are_noted_and_nothing_is_written(
    stores: TwoStores, console: Console
) -> None:
    door = stores.doors["us"]
    door.permits = lambda _method, _path: True
    before = stores.s3.list_objects_v2(Bucket=stores.buckets["us"])["KeyCount"]
    assert [found[:2] for found in examined(console)] == [("us: read-only", "note")]
    assert {it.method for it in door.asked} == {"GET", "HEAD", "POST"}
    assert stores.s3.list_objects_v2(Bucket=stores.buckets["us"])["KeyCount"] == before


@pytest.mark.parametrize(
    ("lie", "code", "word"),
    [
        (lies.ignoring("Range", lies.is_get), REFUSED, "Range"),
        (lies.shifted, REFUSED, "Range"),
        (lies.saying(lies.is_list, lies.without_the_last), REFUSED, "pages"),
        (lies.beginning_again, REFUSED, "pages"),
        (lies.saying(lies.is_list, lies.backwards), REFUSED, "pages"),
        (lies.saying(lies.is_list, lies.uncounted), AWAY, "does not say what it is"),
        (lies.saying(lies.is_list, lies.empty), AWAY, "does not say what it is"),
    ],
)
def test_nothing_is_planned_from_a_source_that_cannot_be_read_safely(
    stores: TwoStores, console: Console, lie: Teller, code: int, word: str
) -> None:
    stores.doors["us"].tells = lie
    assert word in console.expect(code, "plan").said
    assert json.loads(console.expect(0, "plan", "list", "--json").out) == []


@pytest.mark.parametrize(
    ("lie", "word"),
    [
        (lies.ignoring("If-None-Match", lies.is_put), "If-None-Match"),
        (lies.ignoring("If-Match", lies.is_put), "If-Match"),
        (lies.saying(lies.is_list, lies.without_the_last), "listing"),
    ],
)
def test_no_live_run_writes_to_a_home_that_breaks_what_writing_depends_on(
    stores: TwoStores, console: Console, lie: Teller, word: str
) -> None:
    if not json.loads(console.expect(0, "plan", "list", "--json").out):
        console.expect(0, "plan")
    stores.doors["dublin"].tells = lie
    assert word in console.expect(REFUSED, "migrate", "--live").said
    assert stores.puts() == []


@pytest.fixture
def fresh(s3_endpoint: str, fresh_name: str, tmp_path: Path) -> Iterator[TwoStores]:
    """Two stores for one test, in which something moves."""
    with two_stores.opened(s3_endpoint, fresh_name, tmp_path) as stores:
        yield stores


@pytest.fixture
def desk(
    fresh: TwoStores, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Console:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(fresh.config.parent / "no-profiles.toml"))
    made = Console(fresh.config, capfd, monkeypatch)
    made.expect(0, "init")
    return made


def test_listings_that_end_early_are_read_to_their_end_and_all_arrives(
    fresh: TwoStores, desk: Console
) -> None:
    for door in fresh.doors.values():
        door.tells = lies.ending_early
    planned = json.loads(desk.expect(0, "plan", "--json").out)
    assert planned["slices"] == two_stores.OBJECTS
    desk.expect(0, "migrate", "--live")
    desk.expect(0, "verify")
    assert fresh.home() == irish()


class Overwriting:
    """Ignores ``If-Match``; and once an object's bytes were told, somebody overwrites it."""

    def __init__(self, stores: TwoStores, number: int) -> None:
        self._stores = stores
        self._number = number
        self.armed = False

    def __call__(
        self, upstream: lies.Upstream, request: BaseHTTPRequestHandler, body: bytes
    ) -> Answer:
        mine = lies.is_get(request) and f"/{self._number}.jsonl" in request.path
        if lies.is_get(request):
            del request.headers["If-Match"]
        answer = forwarded(upstream, request, body)
        if mine and self.armed:
            self.armed = False
            self._stores.put(self._number, b"".join(reversed(lines(self._number))))
        return answer


def test_where_reads_ignore_the_version_an_object_that_changes_under_the_reader_is_stale(
    fresh: TwoStores, desk: Console
) -> None:
    lie = Overwriting(fresh, number=3)
    fresh.doors["us"].tells = lie
    desk.expect(0, "plan")
    lie.armed = True
    ended = json.loads(desk.expect(INCOMPLETE, "migrate", "--live", "--json").out)
    assert not lie.armed, "it was overwritten while it was read"
    assert [failure["kind"] for failure in ended["failures"]] == ["stale"]
    assert not any("/3.jsonl" in path for path in fresh.puts())
    desk.expect(0, "plan")
    desk.expect(0, "migrate", "--live")
    third = b"".join(line for line in reversed(lines(3)) if b'"IE"' in line)
    assert third in fresh.home()
    assert len(fresh.home()) == len(irish())


def test_damage_that_a_store_neither_refuses_nor_remembers_is_found_by_reading_back(
    fresh: TwoStores, desk: Console
) -> None:
    desk.expect(0, "plan")

    def damaging(upstream: lies.Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        if lies.is_put(request) and "people/" in request.path:
            body = body[:-2] + b"~" + body[-1:]
            for name in ("x-amz-checksum-sha256", "x-amz-sdk-checksum-algorithm"):
                del request.headers[name]
        return forwarded(upstream, request, body)

    fresh.doors["dublin"].tells = damaging
    assert "bytes" in desk.expect(CORRUPT, "migrate", "--live").said
    told = json.loads(desk.expect(0, "status", "--json").out)
    assert sum(cell["rows"] for cell in told["cells"]) == 0, "nothing of it counts"
