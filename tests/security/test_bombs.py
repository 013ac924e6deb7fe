"""A gzip bomb, and its many kin: decoded in bounded memory, refused by name, never a crash.

Each object goes through its codec in a child process that may not have more than 8 GiB, and
whose peak is then read from the kernel.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from repatria.dataset import Format
from tests.security import bombs

ROOT: Final = Path(__file__).parents[2]
PEAK_MIB: Final = 1024
"""``batch_bytes_hard``; the largest of them takes three quarters of it."""

RATIO, READ = "decoded_ratio", "^read$"
PARQUET: Final = {
    "wide_values": RATIO,
    "long_dictionary": RATIO,
    "hidden_dictionary": RATIO,
    "one_heavy_list": "lists of one row decode to more than a quarter of limits.batch_bytes_hard",
    "repeated_prefix": RATIO,
    "one_row_groups": "too many row groups",
    "many_columns": "too many columns",
    "null_rows": RATIO,
    "one_wide_list": "far more values than bytes",
    "one_wide_page": "a page unpacks to more than half of limits.batch_bytes_hard",
    "long_metadata": "footer is too large",
    "many_notes": "cannot be decoded",
    "deep_schema": "cannot be decoded",
}
JSON: Final[dict[str, tuple[str, dict[str, int]]]] = {
    "one_long_line.jsonl.gz": (READ, {"too-large": 1}),
    "one_long_line.jsonl.zst": (RATIO, {}),
    "bad_lines.jsonl.gz": ("limits.batch_rows", {}),
    "tiny_records.jsonl.gz": ("limits.batch_rows", {}),
    "malformed_lines.jsonl": ("limits.batch_refusals.*first_reason=malformed", {}),
    "heavy_values.jsonl.zst": (READ, {"malformed": 2}),
    "deep_json.jsonl": (READ, {"too-deep": 1}),
    "deep_json.jsonl.gz": (READ, {"too-deep": 1}),
    "long_integer.jsonl.zst": (READ, {"wrong-type": 1}),
}
CSV: Final[dict[str, tuple[str, dict[str, int]]]] = {
    "long_field.csv.zst": (RATIO, {}),
    "long_field.csv": (READ, {"too-large": 1}),
    "bad_lines.csv.gz": ("CSV header", {}),
    "tiny_rows.csv.gz": ("limits.batch_rows", {}),
    "malformed_rows.csv": ("limits.batch_refusals.*first_reason=wrong-columns", {}),
    "unclosed_quote.csv": ("never closed", {}),
    "unclosed_quote.csv.gz": ("never closed", {}),
    "many_fields.csv.gz": (RATIO, {}),
    "many_commas.csv": (READ, {"wrong-columns": 1}),
    "wide_field.csv": (READ, {}),
}
PACKED: Final[dict[str, Callable[[Path, Iterable[bytes]], None]]] = {
    ".gz": bombs.gzipped,
    ".zst": bombs.zstandard,
}


def swallow(kind: Format, paths: Iterable[Path], **changes: int) -> list[dict[str, Any]]:
    """Take objects through their codec in a child process; return what it told of each."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.swallow", kind, json.dumps(changes)]
        + [str(path) for path in paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Path]:
    """A folder for objects, which are gone again before the next test."""
    yield tmp_path
    for path in tmp_path.iterdir():
        path.unlink()


def judge(found: Mapping[str, Any], path: Path, outcome: str, refused: Mapping[str, int]) -> None:
    assert re.search(outcome, found["outcome"]), (path.name, found)
    assert outcome == READ or f"object={path.name}" in found["outcome"], "it is named"
    # What stood in batches before a refusal was read already.
    assert outcome != READ or found["refused"] == dict(refused), (path.name, found)
    assert found["peak_mib"] < PEAK_MIB, (path.name, found)


def test_a_parquet_bomb_is_refused_in_bounded_memory(made: Path) -> None:
    paths = {made / f"{name}.parquet": expected for name, expected in PARQUET.items()}
    assert PARQUET.keys() == bombs.PARQUET.keys()
    for path in paths:
        bombs.PARQUET[path.stem](path)
    told = swallow(Format.PARQUET, paths)
    for (path, expected), found in zip(paths.items(), told, strict=True):
        judge(found, path, expected, {})


@pytest.mark.parametrize(
    ("kind", "expected", "makers"),
    [(Format.JSONL, JSON, bombs.JSON), (Format.CSV, CSV, bombs.CSV)],
)
def test_a_text_bomb_is_refused_in_bounded_memory(
    made: Path, kind: Format, expected: Mapping[str, Any], makers: Mapping[str, Any]
) -> None:
    assert {name.partition(".")[0] for name in expected} == makers.keys()
    for name in expected:
        path = made / name
        PACKED.get(path.suffix, bombs.plain)(path, makers[name.partition(".")[0]]())
    told = swallow(kind, [made / name for name in expected], batch_refusals=10_000)
    for (name, (outcome, refused)), found in zip(expected.items(), told, strict=True):
        judge(found, made / name, outcome, refused)
