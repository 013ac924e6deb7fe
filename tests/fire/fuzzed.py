"""The parsers that strangers' bytes reach, each with samples and a judge of what it made of them.

A judge returns ``refused``, ``equal`` (an alteration that means nothing) or ``taken`` (another
valid input, read rightly). It raises whatever is neither: that is a finding.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from connectors.formats.packing import Packing, packed, unpacked
from connectors.formats.parquet import Parquet
from connectors.sections import read as read_sections
from connectors.sections import write as write_sections
from repatria.batch import LINE, Batch
from repatria.config.load import load
from repatria.dataset import ColumnType, Compression, Format
from repatria.errors import BadObject, ConfigRefused, Damaged, ForeignObject, PlanRefused
from repatria.limits import MIB, Limits
from repatria.manifest import SCHEMA, sealed, told
from tests.unit.config_sample import good
from tests.unit.parquet_samples import PROFILES, Held, every_type, parquet, people, piece_of
from tests.unit.text_objects import dataset, read

LIMITS: Final = Limits(
    batch_bytes=64 * 1024, batch_bytes_hard=64 * MIB, record_bytes=64 * 1024, slice_bytes=MIB
)
MAGIC: Final = b"repatria dir v0\n"
LAYOUT: Final = {"high": "<u8", "code": "<i2"}


@dataclass(frozen=True)
class Target:
    """``judge(altered, original)`` says what became of an altered sample."""

    samples: Callable[[], list[bytes]]
    judge: Callable[[bytes, bytes], str]


# Parquet: pages have checksums, footers have none.


def parquet_samples() -> list[bytes]:
    rows = people(500, start=10**6)
    return [
        parquet(every_type(), write_page_checksum=True),
        parquet(rows, write_page_checksum=True, compression="zstd", row_group_size=200),
        parquet(rows, compression="none", use_dictionary=False, data_page_version="2.0"),
        parquet(
            people(50, tags=pa.array([["a", None], []] * 25)),
            use_dictionary=False,
            column_encoding={"user": "DELTA_BYTE_ARRAY", "born": "DELTA_BINARY_PACKED"},
        ),
    ]


def judge_parquet(body: bytes, original: bytes) -> str:
    held = Held(body)
    try:
        batches = list(Parquet(LIMITS).batches(PROFILES, piece_of(held), held, None))
    except BadObject:
        return "refused"
    positions = np.concatenate([batch.positions for batch in batches])
    assert (positions == np.arange(len(positions), dtype=np.uint64)).all(), "each row, once"
    rows = pa.concat_tables([batch.rows for batch in batches], promote_options="permissive")
    for column in rows.columns:
        # A text that is not UTF-8 is carried as it is; what decides is compared as bytes.
        plain = column.cast(pa.binary()) if pa.types.is_string(column.type) else column
        plain.validate(full=not pa.types.is_nested(column.type))
    before = pq.ParquetFile(pa.BufferReader(original)).read()
    alike = rows.schema.equals(before.schema) and _octets(rows) == _octets(before)
    assert alike or not _pages_alone(body, original), "a page was altered, and believed"
    return "equal" if alike else "taken"


def _pages_alone(body: bytes, original: bytes) -> bool:
    """Say whether nothing but pages was altered, in an object whose pages have checksums."""
    footer = int.from_bytes(original[-8:-4], "little") + 8
    kept = len(body) == len(original) and body[-footer:] == original[-footer:]
    return kept and original in parquet_samples()[:2]


def _octets(rows: pa.Table) -> bytes:
    """Return the rows as one writer writes them: equal for equal values, NaN and all."""
    return parquet(rows.replace_schema_metadata(None), write_statistics=False)


# Text: every byte belongs to a record, and Python's own parsers agree about each.


def json_samples() -> list[bytes]:
    lines = [
        b'{"n":%d,"user":"u%d","country":"IE","at":"2024-01-01T00:00:00Z","x":[1.5,{"y":null}]}'
        % (number, number)
        for number in range(40)
    ]
    odd = b'{"n":1,"user":"\\ud83d\\ude00\\n","country":"D\\u0045","at":null,"z":"\xc3\xa9"}'
    return [b"\n".join(lines) + b"\n", b"\r\n".join([odd, *lines[:5]]), b"\xef\xbb\xbf" + odd]


def judge_json(body: bytes, original: bytes) -> str:
    of = dataset(Format.JSONL, version=ColumnType.STRING)
    batches = read(JsonLines(LIMITS), of, body)
    start = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    accepted = _accepted(batches)
    refused = {int(place) for batch in batches for place in batch.refused.positions}
    for line in body[start:].split(b"\n"):
        if line.strip(b" \t\r"):
            expected = _json_values(line)
            assert (start in refused) == (expected is None), (start, line)
            if expected is not None:
                carried, found = accepted.pop(start)
                assert carried.removesuffix(b"\n") == line
                assert (found["n"], found["user"], found["country"]) == expected
        start += len(line) + 1
    assert not accepted
    return "equal" if body == original else ("taken" if not refused else "refused")


def _accepted(batches: list[Batch]) -> dict[int, tuple[bytes, dict[str, Any]]]:
    found = {}
    for batch in batches:
        rows = batch.rows.drop_columns(LINE).to_pylist()
        lines = batch.rows.column(LINE).to_pylist()
        for place, line, row in zip(batch.positions, lines, rows, strict=True):
            found[int(place)] = (bytes(line or b""), row)
    return found


def _json_values(line: bytes) -> tuple[Any, ...] | None:
    """Return the deciding values as Python reads them, or None for what is no record."""
    try:
        text = line.decode()
        members = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_refuse)
        json.dumps(members, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, _Pairs) or _deep(line) or len(line) >= LIMITS.record_bytes:
        return None
    names = [name for name, _ in members if name in {"n", "user", "country", "at"}]
    values = dict(members)
    number = values.get("n")
    right = (
        len(names) == len(set(names))
        and (number is None or (type(number) is int and -(2**63) <= number < 2**63))
        and all(isinstance(values.get(name), str | None) for name in ("user", "country", "at"))
    )
    return (number, values.get("user"), values.get("country")) if right else None


class _Pairs(list[tuple[str, Any]]):
    """An object's members, repeated names and all."""


def _refuse(_: str) -> None:
    raise ValueError("no JSON")


def _deep(line: bytes) -> bool:
    depth = deepest = 0
    inside = escaped = False
    for octet in line:
        if inside:
            inside = escaped or octet != 0x22
            escaped = not escaped and octet == 0x5C
        elif octet == 0x22:
            inside = True
        else:
            depth += (octet in b"[{") - (octet in b"]}")
            deepest = max(deepest, depth)
    return deepest > LIMITS.nesting


def csv_samples() -> list[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["n", "user", "country", "at", "note"])
    for number in range(40):
        note = 'said "so"\nand went' if number % 3 else ""
        writer.writerow([number, f"u{number}", "IE", "", note])
    return [out.getvalue().encode(), b"n,user,country,at,note\n1,\xc3\xa9,IE,,\n2,b,DE,,x"]


def judge_csv(body: bytes, original: bytes) -> str:
    try:
        batches = read(Csv(LIMITS), dataset(Format.CSV), body)
    except BadObject:
        return "refused"
    width = len(_row(batches[0].preamble.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")))
    refused = sum(len(batch.refused) for batch in batches)
    for place, (line, found) in _accepted(batches).items():
        assert body[place : place + len(line)] == line, "a record is its bytes"
        fields = _row(line)
        assert len(fields) == width, line
        assert found["user"] in fields, line
    carried = sum(len(line) for line, _ in _accepted(batches).values())
    if not refused and batches:
        left = len(body) - len(batches[0].preamble) - carried
        assert left == 0 or body.strip(b" \t\r\n") != body or b"\n" in body, "no byte is lost"
    return "equal" if body == original else ("refused" if refused else "taken")


def _row(line: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(line.decode(), newline=""), strict=True), [])


# Packed streams, files of ours, configuration.


def gzip_samples() -> list[bytes]:
    one = gzip.compress(b"".join(json_samples()), mtime=0)
    return [one, one + gzip.compress(b"tail\n", mtime=0)]


def judge_gzip(body: bytes, original: bytes) -> str:
    packing = Packing(Compression.GZIP, "sample", 64 * MIB)
    try:
        found = b"".join(map(bytes, unpacked([body], packing)))
    except BadObject:
        return "refused"
    # Whole members, each with its checksum, may be repeated or left out: that is another stream.
    members = [gzip.decompress(sample) for sample in (*gzip_samples(), b"")[:2]]
    parts = {members[0], members[1][len(members[0]) :]}
    rest = found
    while rest:
        part = next((one for one in parts if one and rest.startswith(one)), None)
        assert part is not None, "an altered stream was taken for a whole one"
        rest = rest[len(part) :]
    return "equal" if found == gzip.decompress(original) else "taken"


def zstd_samples() -> list[bytes]:
    return [packed([b"".join(json_samples()) * 3], Compression.ZSTD).to_pybytes()]


def judge_zstd(body: bytes, original: bytes) -> str:
    """Judge nothing but that it ends well: a frame of zstd need not have a checksum."""
    try:
        found = sum(len(c) for c in unpacked([body], Packing(Compression.ZSTD, "s", 64 * MIB)))
    except BadObject:
        return "refused"
    assert found <= 64 * MIB
    return "equal" if body == original else "taken"


def manifest_samples() -> list[bytes]:
    sink = pa.BufferOutputStream()
    pq.write_table(SCHEMA.empty_table(), sink)
    return [sealed(sink.getvalue().to_pybytes(), {"format": "x", "generation": 3})]


def judge_manifest(body: bytes, original: bytes) -> str:
    try:
        found = told(body)
    except ForeignObject:
        return "refused"
    return "equal" if found == told(original) else "taken"


def sections_samples() -> list[bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "directory"
        block = {"high": np.arange(99, dtype="<u8"), "code": np.arange(99, dtype="<i2")}
        write_sections(path, MAGIC, LAYOUT, {"regions": ["IE"]}, [block])
        return [path.read_bytes()]


def judge_sections(body: bytes, original: bytes) -> str:
    with TemporaryDirectory() as folder:
        path, other = Path(folder) / "directory", Path(folder) / "original"
        path.write_bytes(body)
        other.write_bytes(original)
        try:
            found = read_sections(path, MAGIC, LAYOUT)
        except (Damaged, PlanRefused):
            return "refused"
        expected = read_sections(other, MAGIC, LAYOUT)
        assert body == original or found.digest != expected.digest, "its digest names every byte"
        return "equal" if body == original else "taken"


def config_samples() -> list[bytes]:
    return [yaml.safe_dump(good(), sort_keys=False).encode()]


def judge_config(body: bytes, original: bytes) -> str:
    with TemporaryDirectory() as folder:
        (Path(folder) / "all.yaml").write_bytes(body)
        try:
            load(Path(folder))
        except ConfigRefused:
            return "refused"
    return "equal" if body == original else "taken"


TARGETS: Final[dict[str, Target]] = {
    "parquet": Target(parquet_samples, judge_parquet),
    "jsonl": Target(json_samples, judge_json),
    "csv": Target(csv_samples, judge_csv),
    "gzip": Target(gzip_samples, judge_gzip),
    "zstd": Target(zstd_samples, judge_zstd),
    "manifest": Target(manifest_samples, judge_manifest),
    "directory": Target(sections_samples, judge_sections),
    "config": Target(config_samples, judge_config),
}
