"""CSV that others collected (csv-spectrum, and naughty strings), carried and read.

Found through ``REPATRIA_CASES``; NOT RUN where it is unset.
"""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from repatria.batch import LINE
from repatria.dataset import ByCountry, Column, Format
from repatria.limits import Limits
from tests.unit.text_objects import column, dataset, lines, read, refused

CASES = Path(os.environ.get("REPATRIA_CASES", ""))
QUOTED_AMID = "location_coordinates"  # 37.8"N: RFC 4180 has no quote inside a bare field.
UNSET = "REPATRIA_CASES" not in os.environ
SPECTRUM = CASES / "csv-spectrum"


def names() -> list[str]:
    """Return the names of the files that are RFC 4180."""
    found = {"unset"} if UNSET else {path.stem for path in SPECTRUM.glob("csvs/*.csv")}
    assert found, "no files: REPATRIA_CASES does not lead to the cases"
    return sorted(found - {QUOTED_AMID})


@pytest.fixture(autouse=True)
def _cases() -> None:
    if UNSET:
        pytest.skip("NOT RUN: REPATRIA_CASES is unset")


@pytest.mark.parametrize("name", names())
def test_records_equal_the_json_beside_them_and_arrive_as_they_are(name: str) -> None:
    expected = json.loads((SPECTRUM / "json" / f"{name}.json").read_text("utf-8"))
    body = (SPECTRUM / "csvs" / f"{name}.csv").read_bytes()
    columns = tuple(map(Column, expected[0]))
    of = replace(
        dataset(Format.CSV),
        identity=columns,
        user=columns[0],
        version=None,
        residency=ByCountry(columns[0].name),
    )
    (batch,) = read(Csv(Limits()), of, body)
    assert refused([batch]) == []
    assert batch.preamble + b"".join(lines([batch])) == body
    rows = batch.rows.drop_columns(LINE).to_pylist()
    assert json.dumps(rows, sort_keys=True) in _line_ends_folded(expected)


def _line_ends_folded(expected: object) -> tuple[str, str]:
    r"""Return the JSON, and the JSON with ``\n`` for ``\r\n``, which a checkout may have folded."""
    text = json.dumps(expected, sort_keys=True)
    return text, text.replace("\\r\\n", "\\n")


def test_a_quote_inside_a_bare_field_is_refused() -> None:
    body = (SPECTRUM / "csvs" / f"{QUOTED_AMID}.csv").read_bytes()
    of = replace(
        dataset(Format.CSV),
        identity=(Column("Cities"),),
        user=Column("Cities"),
        version=None,
        residency=ByCountry("Counties"),
    )
    (batch,) = read(Csv(Limits()), of, body)
    assert [reason for _, reason in refused([batch])] == ["malformed"]


def test_naughty_strings_come_through_as_users() -> None:
    strings = json.loads((CASES / "blns" / "blns.json").read_text("utf-8"))
    assert len(strings) > 400
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["n", "user", "country", "at"])
    writer.writerows([n, text, "IE", ""] for n, text in enumerate(strings))
    as_csv = read(Csv(Limits()), dataset(Format.CSV), out.getvalue().encode())
    assert column(as_csv, "user") == strings
    assert refused(as_csv) == []
    for ascii_only in (True, False):
        body = "".join(json.dumps({"user": s}, ensure_ascii=ascii_only) + "\n" for s in strings)
        as_json = read(JsonLines(Limits()), dataset(Format.JSONL), body.encode())
        assert column(as_json, "user") == strings
        assert b"".join(lines(as_json)) == body.encode()
