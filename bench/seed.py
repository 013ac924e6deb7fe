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
GZIP_LEVEL: Final = 6
_EDITION: Final = 1
"""Changes with the data: another edition is made anew."""


class Form(enum.StrEnum):
    """How the records of a set are written."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    JSONL_GZ = "jsonl-gz"


ENDINGS: Final = {Form.PARQUET: "parquet", Form.JSONL: "jsonl", Form.JSONL_GZ: "jsonl.gz"}
OBJECT_MB: Final = {Form.PARQUET: 39.3, Form.JSONL: 141.1, Form.JSONL_GZ: 42.2}
"""Megabytes of an object of 300,000 rows, as measured: how a size becomes a number of objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A set to be made: so many objects of so many rows."""

    form: Form
    objects: int
    rows: int = OBJECT_ROWS

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.form}-{self.objects}x{self.rows}-{_EDITION}"

    @staticmethod
    def of_mb(form: Form, megabytes: float) -> Shape:
        """Return the shape of about so many megabytes, stored."""
        objects = round(megabytes / OBJECT_MB[form])
        if objects > 0:
            return Shape(form=form, objects=objects)
        rows = max(1, round(OBJECT_ROWS * megabytes / OBJECT_MB[form]))
        return Shape(form=form, objects=1, rows=rows)


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
    objects = []
    for number in range(shape.objects):
        content = encoded(profiles(number, shape.rows), shape.form)
        name = f"part-{number:05d}.{ENDINGS[shape.form]}"
        (folder / name).write_bytes(content)
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        objects.append({"key": PREFIX + name, "file": name, "size": len(content), "etag": etag})
    index = folder / "index.part"
    index.write_text(json.dumps({"bucket": BUCKET, "objects": objects}), "utf-8")
    index.rename(folder / "index.json")


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
