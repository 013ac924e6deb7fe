"""What a user does with data and a configuration of their own, from the plan to a complete end."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from tests.live import own_data, settings
from tests.live.console import ROOT, Console
from tests.live.own_data import (
    EVENTS,
    LOCATIONS,
    PEOPLE,
    REGIONS,
    OwnData,
    events,
    of_region,
    parquet,
    people,
    region,
    unpacked,
    visits,
)
from tests.live.witness import TRIED, listed

REFUSED, AWAY, INCOMPLETE = 10, 12, 14


@pytest.fixture
def mine(s3_endpoint: str, fresh_name: str, console: Console) -> Iterator[OwnData]:
    """Everything laid down and configured; nothing planned."""
    with own_data.opened(s3_endpoint, fresh_name, console) as own:
        own_data.lay_down(own)
        own.configure()
        console.expect(0, "init")
        yield own


def all_is_home(mine: OwnData) -> None:
    """Check every record at both homes against those who made it."""
    for name in REGIONS:
        assert b"".join(mine.bodies(name, "events")) == of_region(events(), name)
        parcels = [unpacked(body) for body in mine.bodies(name, "visits")]
        assert b"".join(parcels) == of_region(visits(), name)
        tables = [pq.read_table(io.BytesIO(body)) for body in mine.bodies(name, "people")]
        mask = pa.array([region(number) == name for number in range(PEOPLE)])
        rows = pq.read_table(io.BytesIO(parquet(people(0, PEOPLE)))).filter(mask)
        for table in tables:
            assert table.schema.equals(rows.schema, check_metadata=True), table.schema
        held = sorted((row for table in tables for row in table.to_pylist()), key=lambda r: r["id"])
        assert held == rows.to_pylist()


def test_from_a_plan_to_a_complete_end_and_a_second_run_puts_nothing(mine: OwnData) -> None:
    console = mine.console
    for arguments in (["doctor", "--no-probe"], ["plan"], ["rehearse"]):
        console.expect(0, *arguments)
    assert mine.puts() == []
    console.expect(0, "migrate", "--live")
    assert len(mine.bodies("IE", "events")) >= 3, "it was cut"
    all_is_home(mine)
    told = json.loads(console.expect(0, "verify", "--json").out)
    assert told["exit_code"] == 0
    assert json.loads(console.expect(0, "status", "--json").out)

    for door in mine.doors.values():
        door.asked.clear()
    again = json.loads(console.expect(0, "migrate", "--live", "--json").out)
    assert (mine.puts(), again["tally"]["read"]) == ([], 0)
    console.expect(0, "plan")
    console.expect(0, "migrate", "--live")
    assert mine.puts() == []


def test_the_reader_of_the_layout_page_reads_what_arrived(mine: OwnData, s3_endpoint: str) -> None:
    mine.console.expect(0, "plan", "--dataset", "people")
    mine.console.expect(0, "migrate", "--live")
    page = (ROOT / "docs/formats/target.md").read_text("utf-8")
    block = next(it for it in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "fs" in it)
    names: dict[str, Any] = {}
    exec(compile(block, "target.md", "exec"), names)
    store = fs.S3FileSystem(
        endpoint_override=s3_endpoint, access_key="a", secret_key="b", region="eu-west-1"
    )
    for name, site in REGIONS.items():
        tables = list(names["read"](store, mine.buckets[site], "", "people", name))
        held = {row["id"] for table in tables for row in table.to_pylist()}
        assert held == {f"p{n:05d}" for n in range(PEOPLE) if region(n) == name}


def test_a_configuration_that_changed_since_the_plan_is_refused_by_name_of_what_changed(
    mine: OwnData,
) -> None:
    mine.console.expect(0, "plan")
    mine.configure(lambda tree: tree["datasets"]["visits"].update(unknown_country="stay"))
    for verb in (["rehearse"], ["migrate", "--live"], ["verify"]):
        ran = mine.console.expect(REFUSED, *verb)
        assert "datasets.visits.unknown" in ran.said
        assert "repatria plan" in ran.said
    assert mine.puts() == []
    mine.console.expect(0, "plan")
    mine.console.expect(0, "migrate", "--live")
    all_is_home(mine)


def test_an_expired_plan_and_an_unknown_name_are_refused(mine: OwnData) -> None:
    mine.console.expect(REFUSED, "plan", "--dataset", "nobody")
    mine.console.expect(REFUSED, "plan", "--region", "FR")
    assert "no plan" in mine.console.expect(REFUSED, "migrate", "--live").said
    mine.console.expect(0, "plan", "--dataset", "people")
    assert "visits" in mine.console.expect(REFUSED, "migrate", "--live", "--dataset", "visits").said
    mine.console.expect(REFUSED, "migrate", "--live", "--plan", "0" * 12)
    ledger = mine.console.config.parent / "state" / "ledger.sqlite3"
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("UPDATE plans SET expires_at = '2020-01-01T00:00:00+00:00'")
    for verb in (["rehearse"], ["migrate", "--live"]):
        assert "expired" in mine.console.expect(REFUSED, *verb).said
    assert mine.puts() == []


@pytest.mark.parametrize(
    ("change", "word"),
    [({"phase": "closed"}, "closed"), ({"store": {"region": "no-oslo-1"}}, "no-hamar-1")],
    ids=["closed", "elsewhere"],
)
def test_a_home_that_is_closed_or_elsewhere_is_refused_before_anything_is_put_there(
    mine: OwnData, change: settings.Tree, word: str
) -> None:
    site = mine.tree["sites"]["hamar"]
    site["store"].update(change.get("store", {}))
    site.update({"phase": change.get("phase", "open")})
    mine.configure()
    mine.console.expect(0, "plan")
    refused = mine.console.expect(REFUSED, "migrate", "--live")
    assert word in refused.said
    assert mine.puts("hamar") == []
    assert list(listed(mine.s3, mine.buckets["hamar"])) == []


def test_a_store_that_goes_away_ends_the_run_and_the_same_command_carries_on(
    mine: OwnData,
) -> None:
    mine.console.expect(0, "plan")
    door = mine.doors["dublin"]

    def goes_away_after_some_puts(_method: str, _path: str) -> bool:
        if len(mine.puts("dublin")) >= 3:
            door.end()  # Before this request is answered: nobody gets in after it.
        return True

    door.permits = goes_away_after_some_puts
    gone = mine.console.expect(AWAY, "migrate", "--live")
    assert "dublin" in gone.said
    assert "Run the same command again" in gone.said
    assert len(mine.puts("dublin")) >= 3, "it went away in the middle"
    mine.console.expect(AWAY, "migrate", "--live")
    door.permits = lambda _method, _path: True
    door.begin()
    mine.console.expect(0, "migrate", "--live")
    all_is_home(mine)
    taken = [path for name in REGIONS.values() for path in mine.doors[name].puts()]
    taken = [path for path in taken if TRIED not in path]
    assert len(taken) == len(set(taken)), "something was put twice"


def test_a_region_that_is_added_later_leaves_what_was_moved_alone(mine: OwnData) -> None:
    mine.console.expect(0, "plan", "--region", "IE")
    mine.console.expect(0, "migrate", "--live")
    assert mine.puts("hamar") == []
    before = mine.puts("dublin")
    mine.console.expect(0, "plan")
    mine.console.expect(0, "migrate", "--live")
    assert mine.puts("dublin") == before, "an Irish parcel was put again"
    all_is_home(mine)
    mine.console.expect(0, "verify")


def test_what_waits_is_released_or_dropped_and_then_the_migration_is_complete(
    mine: OwnData,
) -> None:
    def with_a_copy(tree: settings.Tree) -> None:
        store = {**tree["sites"]["us"]["store"], "region": LOCATIONS["copy"]}
        store |= {"endpoint": mine.doors["copy"].url, "bucket": mine.buckets["copy"]}
        tree["sites"]["copy"] = settings.site("legacy-backup", "SG", store)

    mine.configure(with_a_copy)
    lost = lay_down_what_must_wait(mine)
    console = mine.console
    console.expect(0, "plan")
    console.expect(INCOMPLETE, "migrate", "--live")
    waiting = json.loads(console.expect(0, "quarantine", "list", "--json").out)
    sums: dict[tuple[str, str], int] = {}
    for entry in waiting:
        place = (entry["dataset"], entry["reason"])
        sums[place] = sums.get(place, 0) + entry["rows"]
        assert str(entry["id"]) in console.expect(0, "quarantine", "show", str(entry["id"])).out
    assert sums == {
        ("people", "orphan"): len(lost),
        ("events", "unknown-user"): 1,
        ("events", "malformed"): 1,
    }
    console.expect(REFUSED, "quarantine", "release", "--dataset", "events", "--why", "cannot pass")
    console.expect(
        0, "quarantine", "release", "--dataset", "people", "--reason", "orphan", "--why", "lost"
    )
    console.expect(INCOMPLETE, "migrate", "--live")
    console.expect(0, "quarantine", "drop", "--dataset", "events", "--why", "never real")
    console.expect(0, "migrate", "--live")
    assert json.loads(console.expect(0, "quarantine", "list", "--json").out) == []
    console.expect(0, "verify")
    for name in REGIONS:
        assert b"".join(mine.bodies(name, "events")) == of_region(events(), name)
    home = [body for name in REGIONS for body in released(mine, name)]
    rows = [row["id"] for body in home for row in pq.read_table(io.BytesIO(body)).to_pylist()]
    assert sorted(rows) == sorted(lost)


def lay_down_what_must_wait(mine: OwnData) -> set[str]:
    """Put people whom the backup alone has, and events of nobody; return the Europeans of those."""
    orphans = people(PEOPLE, PEOPLE + 10)
    copy = pa.concat_tables([people(0, PEOPLE // 2), orphans])
    mine.put("copy", "crm/people/2023.parquet", parquet(copy))
    bad = f'{{"n":{EVENTS},"who":"nobody"}}\nnot a record\n'.encode()
    mine.put("us", "events/bad.jsonl", bad)
    return {row["id"] for row in orphans.to_pylist() if row["country"] in own_data.REGION_OF}


def released(mine: OwnData, name: str) -> list[bytes]:
    """Return the parcels of what only the backup held."""
    bucket, front = mine.buckets[REGIONS[name]], f"people/region={name}/_repatria/copy/"
    keys = list(listed(mine.s3, bucket, front))
    return [mine.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
