"""Law 9: no record and no identifier of a user is seen anywhere but in the stores.

Over a thousand marks stand in user ids, names, e-mail addresses, texts and object keys. All that
can go wrong goes wrong, every command says all that it can, and then no mark may be found.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.wiring import CONFIG_VARIABLE
from tests.live import own_data, settings
from tests.live.console import ROOT, Console
from tests.live.own_data import COUNTRIES, LOCATIONS, OwnData

MARK = b"Mark7f3a"
"""Begins every mark, so that even a part of one is found."""

PEOPLE = 340
FOREIGN = "somebody else's"
FLOWS = """
from flows.plan import plan
from flows.rehearse import rehearse
for flow in (plan, rehearse):
    print(flow(return_state=True))
"""


def mark(kind: str, number: int) -> str:
    """Return the id, name or address of a person."""
    return f"Mark7f3a{kind}{number:05d}"


def person(number: int) -> dict[str, str | None]:
    """Return a profile; some people live nowhere."""
    at = None if number % 50 == 9 else COUNTRIES[number % len(COUNTRIES)]
    return {
        "id": mark("id", number),
        "country": at,
        "name": mark("name", number),
        "email": f"{mark('mail', number)}@example.org",
    }


def profiles(numbers: range, **changed: str) -> bytes:
    """Return profiles as Parquet."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{**person(n), **changed} for n in numbers]), sink)
    return sink.getvalue()


def letters(number: int) -> bytes:
    """Return what one person wrote."""
    lines = [
        {"n": number * 10 + n, "who": mark("id", number), "text": mark("text", number)}
        for n in range(3)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.fixture
def marked(s3_endpoint: str, fresh_name: str, console: Console) -> Iterator[OwnData]:
    """A world full of marks, in which much is wrong."""
    with own_data.opened(s3_endpoint, fresh_name, console) as own:
        own.configure(_described(own))
        for site, numbers in (("us", range(PEOPLE)), ("copy", range(PEOPLE + 20))):
            own.put(site, "crm/people/all.parquet", profiles(numbers))
        own.put("us", "crm/people/torn.parquet", profiles(range(30))[:-20])
        for number in range(40):
            key = f"letters/{mark('key', number)}/{mark('id', number)}.jsonl"
            own.put("us", key, letters(number))
        wrong = mark("key", 900)
        own.put("us", f"letters/{wrong}/torn.jsonl.gz", gzip.compress(letters(1) * 50)[:60])
        own.put("us", f"letters/{wrong}/a~part-00001-00001.jsonl", letters(2))
        own.put("us", f"letters/{wrong}/bad.jsonl", _bad_letters())
        rows = [
            f"{mark('id', n)},2024-01-01T00:00:{n % 60:02d}Z,/{mark('page', n)}" for n in range(60)
        ]
        rows[7] += f",{mark('more', 7)}"
        own.put("us", "logs/visits/v.csv", "\n".join(rows).encode())
        yield own


def _described(own: OwnData) -> own_data.Change:
    def change(tree: settings.Tree) -> None:
        store = {**tree["sites"]["us"]["store"], "region": LOCATIONS["copy"]}
        store |= {"endpoint": own.doors["copy"].url, "bucket": own.buckets["copy"]}
        tree["sites"]["copy"] = settings.site("legacy-backup", "SG", store)
        tree["datasets"]["letters"] = {
            **tree["datasets"].pop("events"),
            "prefix": "letters/",
            "keys": "personal",
        }

    return change


def _bad_letters() -> bytes:
    broken = b'{"n": 1, "who": "' + mark("id", 3).encode() + b'", "text\n'
    stranger = {"n": 77, "who": mark("stranger", 1), "text": mark("text", 1)}
    return broken + json.dumps(stranger).encode() + b"\n" + broken.replace(b"text", b"\xff\xfe")


def test_no_mark_is_found_outside_the_stores(marked: OwnData, tmp_path: Path) -> None:
    said = "\n".join(_everything_that_is_said(marked))
    flows = _as_flows(marked.console.config, tmp_path / "prefect")
    state = marked.console.config.parent / "state"

    assert len(said) > 20_000, "something was said"
    assert MARK not in said.encode()
    assert MARK not in flows.stdout + flows.stderr
    assert _found(state) == []
    assert _found(tmp_path / "prefect") == []
    assert _found(marked.console.config) == []
    assert {"ledger.sqlite3", "reports", "directories", "contests"} <= {
        path.name for path in state.iterdir()
    }
    assert (tmp_path / "prefect" / "prefect.db").stat().st_size > 100_000

    # The same search finds a mark wherever one is put.
    home = b"".join(marked.bodies("IE", "letters"))
    assert home.count(MARK) > 10, "the marks arrived"
    with closing(sqlite3.connect(state / "ledger.sqlite3")) as connection, connection:
        packed = zlib.compress(home[:500])
        connection.execute("INSERT INTO outbox (digest, body) VALUES (?, ?)", (b"d", packed))
    assert _found(state) == ["ledger.sqlite3"]
    (state / "reports" / "note.html").write_bytes(b"<p>" + home[:100])
    assert _found(state) == ["ledger.sqlite3", "reports/note.html"]


def _everything_that_is_said(marked: OwnData) -> Iterator[str]:
    """Yield all output of a migration in which much fails, with and without ``--json``."""

    def say(code: int, *arguments: str) -> str:
        ran = marked.console.expect(code, *arguments)
        return ran.out + ran.err

    yield say(0, "init")
    yield from _both(marked, "doctor")
    yield from _both(marked, "plan")
    yield from _refusals(marked)
    for verb in (["rehearse"], ["migrate", "--live"], ["verify"], ["plan", "show"]):
        yield from _both(marked, *verb, "--debug")
    for verb in (["plan", "list"], ["status"], ["quarantine", "list"]):
        yield from _both(marked, *verb)
    entries = json.loads(marked.console.expect(0, "quarantine", "list", "--json").out)
    reasons = {entry["reason"] for entry in entries}
    assert reasons >= {"orphan", "malformed", "encoding", "unknown-user", "unknown-country"}
    for entry in entries:
        yield from _both(marked, "quarantine", "show", str(entry["id"]))
    yield say(
        0, "quarantine", "release", "--dataset", "people", "--reason", "orphan", "--why", "lost"
    )
    yield say(0, "quarantine", "drop", "--dataset", "letters", "--why", "never real")
    yield say(0, "quarantine", "retry", "--dataset", "people", "--why", "again")
    yield say(14, "migrate", "--live", "--debug")
    yield from _both(marked, "quarantine", "list", "--decided")
    yield from _both(marked, "status")


def _both(marked: OwnData, *arguments: str) -> Iterator[str]:
    for form in ((), ("--json",)):
        ran = marked.console.run(*arguments, *form)
        assert ran.code in (0, 14), f"{arguments}: {ran.code} {ran.err}"
        yield ran.out + ran.err


def _refusals(marked: OwnData) -> Iterator[str]:
    """Let a store refuse a put, be away, and hold what is not ours; each ends the run."""
    door = marked.doors["dublin"]
    personal = ("migrate", "--live", "--debug", "--dataset", "letters")
    door.permits = lambda method, path: method != "PUT" or "/letters/" not in path
    yield (refused := marked.console.expect(10, *personal)).out + refused.err
    door.end()
    yield (away := marked.console.expect(12, *personal)).out + away.err
    door.permits = lambda _method, _path: True
    door.begin()
    foreign = f"letters/region=IE/{mark('key', 0)}/{mark('id', 0)}.jsonl"
    marked.put("dublin", foreign, FOREIGN.encode())
    yield (held := marked.console.expect(11, *personal)).out + held.err
    assert "stands in its place" in held.said
    marked.s3.delete_object(Bucket=marked.buckets["dublin"], Key=foreign)


def _as_flows(config: Path, home: Path) -> subprocess.CompletedProcess[bytes]:
    """Run flows in a process of their own; its Prefect keeps a database in ``home``."""
    environment = {
        **os.environ,
        CONFIG_VARIABLE: str(config),
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-c", FLOWS]
    ran = subprocess.run(
        command, check=True, env=environment, cwd=ROOT, capture_output=True, timeout=180
    )
    ends = ran.stdout.decode().splitlines()[-2:]
    assert "Completed" in ends[0], ends
    assert "Incomplete" in ends[1], ends
    return ran


def _found(folder: Path) -> list[str]:
    """Return the files in which a mark stands, packed or not."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(MARK in text for text in _texts(path))
    ]


def _texts(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes and its name, and every value of a database, unpacked where it is."""
    yield path.read_bytes()
    yield os.fsencode(path)
    if path.suffix not in (".sqlite3", ".db"):
        return
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                for value in row:
                    yield from _unpacked(value)


def _unpacked(value: object) -> Iterator[bytes]:
    if isinstance(value, str):
        yield value.encode()
    if isinstance(value, bytes):
        yield value
        with suppress(zlib.error):
            yield zlib.decompress(value, wbits=47)
        with suppress(pa.ArrowException, OSError):
            yield own_data.unpacked(value)
