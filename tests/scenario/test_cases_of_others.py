"""What nobody of this project wrote, moved from end to end: it arrives equal or waits by name.

Found through ``REPATRIA_CASES``; NOT RUN where it is unset.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from repatria.batch import LINE
from repatria.dataset import Format
from repatria.ports.ledger import RunState
from tests.children import verdicts
from tests.scenario.crossing import CASES as DATASET
from tests.scenario.crossing import Crossing, written
from tests.scenario.enclave import CODECS

CASES = Path(os.environ.get("REPATRIA_CASES", "")).resolve()
ALLOWED = {
    "equal": ("arrived",),
    "quarantine": ("refused",),
    "equal_or_quarantine": ("arrived", "refused"),
}
JSONL = replace(DATASET, format=Format.JSONL)
CSV = replace(DATASET, format=Format.CSV)


@pytest.fixture(autouse=True)
def _cases() -> None:
    if "REPATRIA_CASES" not in os.environ:
        pytest.skip("NOT RUN: REPATRIA_CASES is unset")


def line(number: int, value: bytes, name: bytes = b'"x"', user: bytes = b'"u"') -> bytes:
    front = b'{"case_n":%d,"case_user":%s,"case_country":"IE"' % (number, user)
    return front + b"," + name + b":" + value + b"}\n"


def lines_home(crossing: Crossing, name: str) -> list[bytes]:
    tables = [CODECS[crossing.dataset.format].decode(crossing.dataset, body, name)
              for body in crossing.home(name)]  # fmt: skip
    return [bytes(one or b"") for table in tables for one in table.column(LINE).to_pylist()]


def test_every_parquet_object_arrives_equal_or_is_refused_by_name() -> None:
    told = json.loads((CASES / "EXPECTED.json").read_text("utf-8"))
    expected = {
        CASES / name: ALLOWED[case["expected"]]
        for name, case in told.items()
        if name.startswith("parquet-testing/")
    }
    assert len(expected) > 90
    found = verdicts("tests.scenario.crossing", list(expected))
    wrong = {
        path.name: found[str(path)]
        for path, allowed in expected.items()
        if not found[str(path)].startswith(allowed)
    }
    assert wrong == {}
    refusals = [verdict for verdict in found.values() if verdict.startswith("refused")]
    assert all("object=case.parquet at us-east" in refusal for refusal in refusals)


def test_every_json_document_arrives_as_it_is_or_waits(tmp_path: Path) -> None:
    told = json.loads((CASES / "EXPECTED.json").read_text("utf-8"))
    objects: dict[str, bytes] = {}
    expected: dict[str, tuple[str, bytes]] = {}
    may: dict[str, tuple[str, bytes]] = {}
    for name, case in told.items():
        if not name.startswith("JSONTestSuite/test_parsing/"):
            continue
        document = (CASES / name).read_bytes()
        if case["expected"] == "equal":
            document = document.replace(b"\n", b" ")
        key = Path(name).stem + ".jsonl"
        objects[key] = line(1, b"1") + line(2, document) + line(3, b"3")
        (may if case["expected"] == "equal_or_quarantine" else expected)[key] = (
            case["expected"], line(2, document)
        )  # fmt: skip
    assert len(expected) > 250
    crossing = Crossing(tmp_path, JSONL, objects)
    assert crossing.failures == {}
    ends = [line(1, b"1"), line(3, b"3")]
    for key, (verdict, document) in expected.items():
        middle = [document] if verdict == "equal" else []
        assert lines_home(crossing, key) == [ends[0], *middle, ends[1]], key
    for key, (_, document) in may.items():
        assert lines_home(crossing, key) in (ends, [ends[0], document, ends[1]]), key
    assert {"malformed", "encoding", "too-deep"} >= set(crossing.refused)
    crossing.check_books()


def test_every_csv_text_arrives_as_it_is(tmp_path: Path) -> None:
    texts = {path.stem: path.read_bytes() for path in (CASES / "csv-spectrum").glob("csvs/*.csv")}
    assert len(texts) > 10
    bodies = {name: with_people(body) for name, body in texts.items()}
    crossing = Crossing(tmp_path, CSV, {f"{name}.csv": b"".join(it) for name, it in bodies.items()})
    assert crossing.failures == {}
    assert crossing.refused == {"malformed": 1}, "a quote inside a bare field, in one of them"
    for name, (_, *records) in bodies.items():
        if name != "location_coordinates":
            assert lines_home(crossing, f"{name}.csv") == records, name
            home = b"".join(map(bytes, crossing.home(f"{name}.csv")[:1]))
            assert parsed(home.split(b"\n")[0]) == [*PEOPLE, *parsed(texts[name].split(b"\n")[0])]
    crossing.check_books()


PEOPLE = ["case_n", "case_user", "case_country"]


def with_people(body: bytes) -> list[bytes]:
    """Return header and records, each with people before it; quotes decide where a record ends."""
    found: list[bytes] = []
    held = b""
    for part in body.splitlines(keepends=True):
        held += part
        if held.count(b'"') % 2 == 0:
            front = b"case_n,case_user,case_country," if not found else b"%d,u,IE," % len(found)
            found.append(front + held)
            held = b""
    return found


def parsed(header: bytes) -> list[str]:
    return next(csv.reader([header.decode()]))


# Strings that break things: as value, as name, as user, and as the key of an object.


@pytest.fixture(scope="module")
def naughty() -> list[str]:
    if "REPATRIA_CASES" not in os.environ:
        pytest.skip("NOT RUN: REPATRIA_CASES is unset")
    found: list[str] = json.loads((CASES / "blns" / "blns.json").read_text("utf-8"))
    assert len(found) > 400
    return found


def test_naughty_strings_cross_as_json(tmp_path: Path, naughty: list[str]) -> None:
    texts = [json.dumps(text, ensure_ascii=number % 2 == 0).encode()
             for number, text in enumerate(naughty)]  # fmt: skip
    records = [line(n, text, name=text, user=text) for n, text in enumerate(texts)]
    crossing = Crossing(tmp_path, JSONL, {"all.jsonl": b"".join(records)})
    empty = [n for n, text in enumerate(naughty) if text == ""]
    assert crossing.refused == Counter({"no-user": len(empty)})
    assert lines_home(crossing, "all.jsonl") == [
        record for n, record in enumerate(records) if n not in empty
    ]
    crossing.check_books()


def test_naughty_strings_cross_as_csv(tmp_path: Path, naughty: list[str]) -> None:
    rows = [[str(n), text, "IE", text] for n, text in enumerate(naughty) if text]
    records = [written_csv([row]) for row in rows]
    header = written_csv([["case_n", "case_user", "case_country", *naughty[1:50]]])
    wide = [record[:-1] + b"," * 48 + b"\n" for record in records]
    crossing = Crossing(tmp_path, CSV, {"all.csv": header + b"".join(wide)})
    assert crossing.refused == Counter()
    assert lines_home(crossing, "all.csv") == wide
    assert crossing.check_books() == len(rows)


def written_csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def test_naughty_strings_cross_as_parquet(tmp_path: Path, naughty: list[str]) -> None:
    texts = [text for text in naughty if text]
    names = dict.fromkeys(texts[:12], texts)
    rows = with_columns(texts, names)
    crossing = Crossing(tmp_path, DATASET, {"all.parquet": written(rows)})
    assert crossing.refused == Counter()
    assert tables_home(crossing, "all.parquet").equals(rows)
    assert crossing.check_books() == len(texts)


def with_columns(users: list[str], more: dict[str, list[str]]) -> pa.Table:
    deciding = {"case_n": list(range(len(users))), "case_user": users}
    countries = {"case_country": ["IE"] * len(users)}
    return pa.table({**deciding, **countries, **more})


def tables_home(crossing: Crossing, name: str) -> pa.Table:
    codec = CODECS[Format.PARQUET]
    return pa.concat_tables(codec.decode(DATASET, body, name) for body in crossing.home(name))


def test_naughty_strings_cross_as_keys(tmp_path: Path, naughty: list[str]) -> None:
    keys = sorted({text for text in naughty if text and len(text.encode()) < 900})
    objects = {key: line(n, b"1") for n, key in enumerate(keys)}
    crossing = Crossing(tmp_path, JSONL, objects)
    assert crossing.failures == {}
    home = crossing.enclave.standing()
    assert set(home) == {f"cases/region=IE/{key}" for key in keys}
    dublin = crossing.enclave.dublin
    for key, body in objects.items():
        assert bytes(dublin.read(dublin.head(f"cases/region=IE/{key}").object)) == body
    assert crossing.check_books() == len(keys)


# One shop in three formats.


def shop() -> dict[str, list[dict[str, Any]]]:
    """Return the tables of a shop, read by a database that others made."""
    path = CASES / "chinook" / "ChinookDatabase" / "DataSources" / "Chinook_Sqlite.sqlite"
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as base:
        base.row_factory = sqlite3.Row
        told = "select name from sqlite_master where type = 'table'"
        names = [row["name"] for row in base.execute(told)]
        found = {name: rows_of(base, name) for name in names}
    base.close()
    return found


def rows_of(base: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in base.execute(f'select * from "{table}"')]


def test_a_shop_arrives_equal_whichever_format_it_comes_in(tmp_path: Path) -> None:
    tables = shop()
    assert len(tables) == 11
    objects: dict[Format, dict[str, bytes]] = {kind: {} for kind in Format}
    for name, rows in tables.items():
        people = [{"case_n": n, "case_user": f"u{n}", "case_country": "IE", **row}
                  for n, row in enumerate(rows)]  # fmt: skip
        tables[name] = people
        objects[Format.JSONL][f"{name}.jsonl"] = b"".join(
            json.dumps(row).encode() + b"\n" for row in people
        )
        texts = [[str(v) if v is not None else "" for v in row.values()] for row in people]
        objects[Format.CSV][f"{name}.csv"] = written_csv([list(people[0]), *texts])
        objects[Format.PARQUET][f"{name}.parquet"] = written(pa.Table.from_pylist(people))
    moved = {}
    for kind, held in objects.items():
        crossing = Crossing(tmp_path / kind, replace(DATASET, format=kind), held)
        assert crossing.ending.state is RunState.COMPLETE
        moved[kind] = crossing.check_books()
        for name, rows in tables.items():
            assert at_home(crossing, name, kind) == as_told(rows, kind), (kind, name)
    assert set(moved.values()) == {sum(map(len, tables.values()))}


def at_home(crossing: Crossing, name: str, kind: Format) -> list[Any]:
    if kind is Format.PARQUET:
        return tables_home(crossing, f"{name}.parquet").to_pylist()
    lines = lines_home(crossing, f"{name}.{kind}")
    if kind is Format.JSONL:
        return [json.loads(one) for one in lines]
    return list(csv.reader(io.StringIO(b"".join(lines).decode(), newline="")))


def as_told(rows: list[dict[str, Any]], kind: Format) -> list[Any]:
    if kind is not Format.CSV:
        return rows
    return [["" if v is None else str(v) for v in row.values()] for row in rows]
