"""The data, made once and kept: mixed-country profiles as Parquet, as JSON lines, and gzipped.

A set is a folder of files with an ``index.json`` that the server loads; what stands complete is
used again. Rows depend on the seed and the number of the object alone, so that the Parquet and
the JSON lines of one object are the same people.
"""

from __future__ import annotations

import enum
import hashlib
import io
import json
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from bench.lines import json_lines
from bench.people import OBJECT_ROWS, profiles

BUCKET: Final = "acme-users"
PREFIX: Final = "profiles/"
ROW_GROUPS: Final = 4
ROW_GROUP_ROWS: Final = 1024 * 1024
GZIP_LEVEL: Final = 6
_EDITION: Final = 2
"""Changes with the data: another edition is made anew."""


class Form(enum.StrEnum):
    """How the records of a set are written."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    JSONL_GZ = "jsonl-gz"


ENDINGS: Final = {Form.PARQUET: "parquet", Form.JSONL: "jsonl", Form.JSONL_GZ: "jsonl.gz"}
OBJECT_MB: Final = {Form.PARQUET: 39.3, Form.JSONL: 141.1, Form.JSONL_GZ: 141.1}
"""Megabytes of an object of 300,000 rows, as measured: how a size becomes a number of objects.

What is gzipped counts as it is before (42.2 behind), so that a size means the same people.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A set to be made: so many objects of so many rows, or all of them ``joined`` into one."""

    form: Form
    objects: int
    rows: int = OBJECT_ROWS
    joined: bool = False

    @property
    def name(self) -> str:
        """The name of its folder."""
        joined = "-joined" if self.joined else ""
        return f"{self.form}-{self.objects}x{self.rows}{joined}-{_EDITION}"

    @staticmethod
    def of_mb(form: Form, megabytes: float, *, joined: bool = False) -> Shape:
        """Return the shape of about so many megabytes."""
        objects = round(megabytes / OBJECT_MB[form])
        if objects > 0:
            return Shape(form=form, objects=objects, joined=joined)
        rows = max(1, round(OBJECT_ROWS * megabytes / OBJECT_MB[form]))
        return Shape(form=form, objects=1, rows=rows, joined=joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A set that stands: where, and what is in it."""

    shape: Shape
    folder: Path
    files: Sequence[Path]
    stored_bytes: int

    @property
    def index(self) -> Path:
        """What the server loads."""
        return self.folder / "index.json"

    @property
    def rows(self) -> int:
        """Records of all objects."""
        return self.shape.objects * self.shape.rows


def seeded(shape: Shape, under: Path) -> Seeded:
    """Return the set of ``shape``, made if it does not stand below ``under``."""
    folder = under / shape.name
    if not (folder / "index.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _make(shape, folder)
    said = json.loads((folder / "index.json").read_text("utf-8"))["objects"]
    return Seeded(
        shape=shape,
        folder=folder,
        files=[folder / one["file"] for one in said],
        stored_bytes=sum(one["size"] for one in said),
    )


def _make(shape: Shape, folder: Path) -> None:
    ending = ENDINGS[shape.form]
    if shape.joined:
        files = [folder / f"whole.{ending}"]
        _join(shape, files[0])
    else:
        files = [folder / f"part-{number:05d}.{ending}" for number in range(shape.objects)]
        for number, file in enumerate(files):
            file.write_bytes(encoded(profiles(number, shape.rows), shape.form))
    objects = [
        {
            "key": PREFIX + file.name,
            "file": file.name,
            "size": file.stat().st_size,
            "etag": md5(file),
        }
        for file in files
    ]
    index = folder / "index.part"
    index.write_text(json.dumps({"bucket": BUCKET, "objects": objects}), "utf-8")
    index.rename(folder / "index.json")


def md5(file: Path) -> str:
    """Return the MD5 of a file: the ETag that a plain put would have."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "md5").hexdigest()


def _join(shape: Shape, file: Path) -> None:
    """Write one object of all rows; Parquet in the row groups that pyarrow makes by default."""
    tables = (profiles(number, shape.rows) for number in range(shape.objects))
    if shape.form is not Form.PARQUET:
        with file.open("wb") as sink:
            sink.writelines(encoded(rows, shape.form) for rows in tables)
        return
    first = next(tables)
    with pq.ParquetWriter(file, first.schema, compression="snappy") as writer:
        held = [first]
        for rows in tables:
            if sum(map(len, held)) + len(rows) > ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(held))
                held = []
            held.append(rows)
        writer.write_table(pa.concat_tables(held))


def encoded(rows: pa.Table, form: Form) -> bytes:
    """Return ``rows`` as one object of a legacy site: snappy with four row groups, or text."""
    if form is Form.PARQUET:
        sink = io.BytesIO()
        group = max(1, -(-rows.num_rows // ROW_GROUPS))
        pq.write_table(rows, sink, row_group_size=group, compression="snappy")
        return sink.getvalue()
    text = json_lines(rows)
    if form is Form.JSONL:
        return text
    press = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return press.compress(text) + press.flush()
