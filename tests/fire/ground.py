"""The ground of the trials by fire: two sites, four objects, and what must come of them.

Everything that a trial changes (what stands at home, the state folder) is put back between two
trials, so that each begins where the first began. What must stand at home at the end is known
from how the records were made, and what does stand there is read with plain clients: neither asks
the engine.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from connectors.body_digest import begun
from flows.checking import verify_job
from flows.jobs import Mode, Order
from flows.moving import MoveJob, move_job
from flows.preparing import init, make_plan
from flows.wiring import open_house
from repatria.campaign import Ending
from repatria.errors import RepatriaError
from repatria.names import DatasetName
from repatria.ports.ledger import RunState
from repatria.stripe import Tally

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LEGACY, HOME = "fire-legacy", "fire-home"
MOVING = ("IE",)
COUNTRIES = ("IE", "US")
CHANGING = ("people/a.parquet", "notes/a.jsonl")
DRIFT = ("unfinished", "new", "changed", "gone", "empty", "left")
OURS = "_repatria/"
OWNER = "123456789012"  # Whose everything is in moto.
READ_S = 1.0
SLICE_BYTES = 64 * 1024

Row = dict[str, Any]
Records = dict[tuple[str, str], Counter[str]]


def people(seed: int, rows: int, width: int) -> list[Row]:
    """Make up records that do not compress."""
    chance = Random(seed)
    return [
        {
            "user_id": f"u{seed}-{number}",
            "country": COUNTRIES[number % len(COUNTRIES)],
            "note": chance.randbytes(width).hex(),
            "number": number,
        }
        for number in range(rows)
    ]


SOURCES: Mapping[str, list[Row]] = {
    "people/a.parquet": people(1, 30, 16),
    "people/b.parquet": people(2, 60, 1024),
    "notes/a.jsonl": people(3, 30, 16),
    "notes/b.jsonl": people(4, 60, 1024),
}
"""The small ones are read whole; the large ones are cut, and read by ranges."""


def encoded(key: str, rows: list[Row]) -> bytes:
    """Write records as the ending of their key says."""
    if key.endswith(".jsonl"):
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=30)
    return out.getvalue()


def decoded(key: str, body: bytes) -> list[Row]:
    """Read records as the ending of their key says."""
    if key.endswith(".jsonl"):
        return [json.loads(line) for line in body.split(b"\n") if line]
    return pq.ParquetFile(io.BytesIO(body)).read().to_pylist()


@dataclass
class Ground:
    """Where a trial takes place. ``endpoint`` is what the engine talks to."""

    folder: Path
    s3: S3Client
    endpoint: str
    limits: Mapping[str, Any] = field(default_factory=dict)
    sources: dict[str, list[Row]] = field(default_factory=lambda: dict(SOURCES))

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def lay(self) -> None:
        """Make both buckets and fill the legacy one, and write the configuration."""
        self.s3.create_bucket(Bucket=LEGACY)
        where: Any = {"LocationConstraint": "eu-west-1"}
        self.s3.create_bucket(Bucket=HOME, CreateBucketConfiguration=where)
        self.config.mkdir(parents=True)
        tree = _configured(self.endpoint, self.limits)
        (self.config / "fire.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")

    def put_source(self, key: str, rows: list[Row] | None = None) -> None:
        """Put an object at the legacy site, with these records from now on."""
        if rows is not None:
            self.sources[key] = rows
        body = encoded(key, self.sources[key])
        self.s3.put_object(
            Bucket=LEGACY,
            Key=key,
            Body=body,
            Tagging="origin=legacy",
            **_checked_as_s3_would(body),
        )

    def expected(self) -> Records:
        """Return every record that must be at home, by dataset and region."""
        found: Records = {}
        for key, rows in self.sources.items():
            for row in rows:
                if row["country"] in MOVING:
                    where = (key.partition("/")[0], row["country"])
                    found.setdefault(where, Counter())[repr(row)] += 1
        return found

    def at_home(self) -> Records:
        """Return every record that the manifests at home list; nothing else may stand there."""
        keys = set(listed(self.s3, HOME))
        found: Records = {}
        for manifest in sorted(key for key in keys if key.endswith("manifest.parquet")):
            dataset, region = manifest.split("/")[0], manifest.split("region=")[1].split("/")[0]
            for parcel in decoded(manifest, self.body(manifest)):
                keys.remove(parcel["key"])
                rows = decoded(parcel["key"], self.body(parcel["key"]))
                assert len(rows) == parcel["rows"]
                found.setdefault((dataset, region), Counter()).update(map(repr, rows))
            keys.remove(manifest)
        strays = {key for key in keys if not key.startswith(f"{OURS}doctor/")}
        assert not strays, "something stands at home that no manifest lists"
        return {where: rows for where, rows in found.items() if rows}

    def body(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=HOME, Key=key)["Body"].read()

    def begin(self) -> None:
        """Make everything stand as it stood at first."""
        self.sources = dict(SOURCES)
        for key in list(listed(self.s3, HOME)):
            self.s3.delete_object(Bucket=HOME, Key=key)
        for key in self.sources:
            self.put_source(key)
        kept = self.folder / "kept"
        shutil.rmtree(self.state, ignore_errors=True)
        if not kept.exists():
            with open_house(self.config) as house:
                init(house)
            shutil.copytree(self.state, kept)
        shutil.copytree(kept, self.state, dirs_exist_ok=True)

    def trust(self) -> None:
        """Let both stores be known for honest, so that no trial but those of promises tries it."""
        kept, promises = self.folder / "kept", self.state / "promises"
        assert self.work().complete, "without a fault there is no trouble"
        shutil.copytree(promises, kept / "promises")
        self.begin()

    def change(self) -> None:
        """Change two objects at the source, so that their parcels must be replaced."""
        for number, key in enumerate(CHANGING, 5):
            self.put_source(key, people(number, 24, 16))

    def work(self) -> Ended:
        """Give the commands, plan and migrate, as after any failure; tell how they ended."""
        try:
            with open_house(self.config) as house:
                make_plan(house, (), ())
                with move_job(house, Order(mode=Mode.LIVE)) as job:
                    return Ended.of(_moved(job))
        except RepatriaError as error:
            return Ended(f"{type(error).__name__}: {error.args[0]}", complete=False)

    def verify(self) -> int:
        """Give the command that verifies; return how much it found to differ."""
        with (
            open_house(self.config) as house,
            verify_job(house, Order(mode=Mode.LIVE)) as job,
        ):
            job.begin()
            for number in job.stripes:
                job.run_stripe(number, Quiet(), lambda: False)
            return job.finish().differing


def _checked_as_s3_would(body: bytes) -> Row:
    """Return the checksum that S3 makes by itself, told to a server that makes none."""
    digest = begun("CRC64NVME")
    if digest is None:
        return {}
    digest.update(body)
    value = base64.b64encode(digest.digest()).decode()
    return {"ChecksumAlgorithm": "CRC64NVME", "ChecksumCRC64NVME": value}


def _moved(job: MoveJob) -> Ending:
    tally = Tally()
    job.begin()
    try:
        for number in job.stripes:
            tally.add(job.run_stripe(number, Quiet(), lambda: False))
        return job.finish(tally)
    except BaseException as error:
        job.ended_early(tally, error)
        raise


class Quiet:
    """Somebody who is told how far work has come, and does not mind."""

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None: ...

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None: ...


@dataclass(frozen=True)
class Ended:
    """How the commands ended: ``told`` is the name of an error, or what the run said of itself."""

    told: str
    complete: bool
    quarantined: bool = False

    @classmethod
    def of(cls, ending: Ending) -> Ended:
        if ending.state is RunState.COMPLETE:
            return cls("complete", complete=True)
        kinds = sorted({str(failure.kind) for failure in ending.failures})
        drift = [name for name in DRIFT if getattr(ending.audit, name)]
        told = [*(f"slice failed: {kind}" for kind in kinds), *(f"audit: {name}" for name in drift)]
        told += ["quarantined"] if ending.waiting else []
        return cls(", ".join(told), complete=False, quarantined=bool(ending.waiting))


def listed(s3: S3Client, bucket: str) -> Iterator[str]:
    """Yield every key of a bucket."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            yield entry["Key"]


def _configured(endpoint: str, limits: Mapping[str, Any]) -> Row:
    return {
        "sites": {
            "us-east": _site("legacy-primary", "US", ("us-east-1", LEGACY), endpoint),
            "dublin-1": _site("enclave", "IE", ("eu-west-1", HOME), endpoint),
        },
        "regions": {
            "ready_made": [],
            "groups": {name: {"countries": [name]} for name in MOVING},
            "home": {"default": "dublin-1"},
        },
        "datasets": {
            "people": _dataset("people/", "parquet"),
            "notes": _dataset("notes/", "jsonl"),
        },
        "limits": {
            "attempts": 5,
            "wait_s_max": 0.01,
            "call_s_max": 30,
            "lease_s": 5,
            "slice_bytes": SLICE_BYTES,
            **limits,
        },
        "state": {"folder": "../state", "jurisdiction": "IE"},
    }


def _dataset(prefix: str, form: str) -> Row:
    return {
        "prefix": prefix,
        "format": form,
        "identity": ["user_id"],
        "user": "user_id",
        "residency": {"column": "country"},
    }


def _site(role: str, jurisdiction: str, place: tuple[str, str], endpoint: str) -> Row:
    region, bucket = place
    store = {
        "endpoint": endpoint,
        "region": region,
        "bucket": bucket,
        "path_style": True,
        "credentials": {"environment": "FIRE"},
        "expected_owner": OWNER,
        "patience": {"connect_s": 1, "read_s": READ_S},
    }
    return {"role": role, "jurisdiction": jurisdiction, "phase": "open", "store": store}
