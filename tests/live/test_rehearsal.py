"""Law 8: a rehearsal passes where nothing can be written, and leaves all as it was."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from flows.world.servers import World
from flows.world.sites import SITES
from flows.world.stores import client
from tests.live import settings
from tests.live.console import Console
from tests.live.proxy import Proxy, proxied, reads_alone

INCOMPLETE = 14
SQLITE = "ledger.sqlite3"


@pytest.fixture
def guards(lived_in: World) -> Iterator[dict[str, Proxy]]:
    """Stand before every site, and let through everything until told otherwise."""
    with ExitStack() as stack:
        yield {
            str(it.name): stack.enter_context(proxied(lived_in.endpoint(it.name))) for it in SITES
        }


@pytest.fixture
def planned(
    lived_in: World, guards: dict[str, Proxy], console: Console, tmp_path: Path
) -> dict[str, Proxy]:
    """A world that was moved for one region, planned for all, and cannot be written any more."""
    endpoints = {name: guard.url for name, guard in guards.items()}
    settings.write(tmp_path, settings.of_world(lived_in, f"{tmp_path.name}/", endpoints))
    console.expect(0, "init")
    console.expect(0, "plan")
    console.expect(INCOMPLETE, "migrate", "--live", "--region", "NORDIC", "--dataset", "logins")
    for guard in guards.values():
        guard.permits = reads_alone
        guard.asked.clear()
    return guards


def test_it_passes_with_credentials_that_only_read_and_changes_nothing(
    lived_in: World, planned: dict[str, Proxy], console: Console
) -> None:
    state = console.config.parent / "state"
    before = everything(lived_in), rows(state / SQLITE), files(state)
    ran = console.expect(INCOMPLETE, "rehearse", "--json")
    after = everything(lived_in), rows(state / SQLITE), files(state)

    assert before[0] == after[0]
    assert before[1] == after[1]
    made = after[2].keys() - before[2].keys()
    assert {Path(name).parent.name for name in made} == {"reports"}
    assert {Path(name).suffix for name in made} == {".html", ".json"}
    assert {name: after[2][name] for name in before[2]} == before[2]

    told = json.loads(ran.out)
    assert told["mode"] == "rehearsal"
    assert told["tally"]["moved"] > 0
    assert all(Path(path).stat().st_size > 1000 for path in told["reports"])
    asked = [it for guard in planned.values() for it in guard.asked]
    assert {it.method for it in asked} <= {"GET", "HEAD"}, "it did not even try to write"


def test_it_foretells_what_the_migration_then_does(
    planned: dict[str, Proxy], console: Console
) -> None:
    foretold = json.loads(console.expect(INCOMPLETE, "rehearse", "--json").out)
    for guard in planned.values():
        guard.permits = lambda _method, _path: True
    came = json.loads(console.expect(INCOMPLETE, "migrate", "--live", "--json").out)
    assert foretold["accounts"] == came["accounts"]
    assert foretold["quarantine"] == came["quarantine"]
    assert moved(foretold) == moved(came)


def moved(told: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Return the records that moved, or would, of each dataset and region."""
    return {(it["dataset"], it["region"]): it["rows"] for it in told["moved"] if it["rows"]}


def test_where_nothing_can_be_written_a_migration_is_refused_and_a_look_sees_the_difference(
    lived_in: World, planned: dict[str, Proxy], console: Console, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    before = everything(lived_in), rows(state / SQLITE)
    console.expect(10, "migrate", "--live")
    assert any(it.status == 403 for guard in planned.values() for it in guard.asked)
    assert everything(lived_in) == before[0]
    for guard in planned.values():
        guard.permits = lambda _method, _path: True
    console.expect(INCOMPLETE, "migrate", "--live", "--region", "NORDIC", "--dataset", "logins")
    assert rows(state / SQLITE) != before[1], "a live run is remembered, and it shows"
    hamar = SITES[-1]
    client(lived_in, hamar).put_object(Bucket=hamar.bucket, Key=f"{tmp_path.name}/x", Body=b"")
    assert everything(lived_in) != before[0]


def everything(world: World) -> dict[str, Any]:
    """Return all versions of all objects at all sites: keys, ETags, sizes, times."""
    seen: dict[str, Any] = {}
    for it in SITES:
        pages = client(world, it).get_paginator("list_object_versions").paginate(Bucket=it.bucket)
        seen[str(it.name)] = [
            (kind, *(str(entry.get(fact)) for fact in FACTS))
            for page in pages
            for kind in ("Versions", "DeleteMarkers")
            for entry in page.get(kind, [])  # type: ignore[attr-defined]
        ]
    assert seen["us-east"], "there is something to see"
    return seen


FACTS = ("Key", "VersionId", "ETag", "Size", "LastModified", "IsLatest")


def rows(ledger: Path) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found = {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names
        }
    assert len(found["lines"]) > 0
    return {name: sorted(map(repr, held)) for name, held in found.items()}


def files(state: Path) -> dict[str, str]:
    """Return the digest of each file below the state folder, but for what SQLite maps in memory."""
    return {
        str(path.relative_to(state)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(state.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }
