"""A world for trials: four buckets behind one S3 server that outlives whoever is killed.

The legacy buckets are filled once and must never change. A *ground* is a configuration with a
state folder right after ``init`` or ``plan``; a trial begins with a copy of it and empty homes, so
that nothing is planned twice. A world has one trial at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from flows.wiring import CONFIG_VARIABLE
from flows.world.tally import Laid
from tests.fire.seed import laid
from tests.live import settings
from tests.live.settings import DATASETS, Tree, site
from tests.live.witness import TRIED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT: Final = Path(__file__).parents[2]
CREDENTIALS: Final = {
    "LIVE_TEST_ACCESS_KEY_ID": "AKIALIVETEST",
    "LIVE_TEST_SECRET_ACCESS_KEY": "not a secret",
}
REGIONS: Final = {"IE": ("IE",), "DE": ("AT", "DE"), "NO": ("IS", "NO")}
HOME: Final = {"IE": "dublin-1", "DE": "dublin-1", "NO": "hamar"}
STANDBY: Final = {"IE": "hamar"}
LEGACY: Final = ("us-east", "singapore")
HOMES: Final = ("dublin-1", "hamar")
WHERE: Final = {
    "us-east": ("legacy-primary", "US", "us-east-1"),
    "singapore": ("legacy-backup", "SG", "ap-southeast-1"),
    "dublin-1": ("enclave", "IE", "eu-west-1"),
    "hamar": ("enclave", "NO", "no-hamar-1"),
}
"""Role, jurisdiction and location of each site."""
_SERVER: Final = """
import sys, threading
from pathlib import Path
from flows.world.site_server import make_site
server = make_site(Path(sys.argv[1]))
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
sys.stdin.read()
"""
"""Ends with its standard input, however whoever started it ended."""


@dataclass(frozen=True)
class Ground:
    """A configuration, and the state of which each trial gets a copy."""

    folder: Path
    planned: bool

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def before(self) -> Path:
        return self.folder / "before"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.sqlite3"

    def lay(self) -> None:
        """Put the state back to what it was."""
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.copytree(self.before, self.state)


@dataclass
class FireWorld:
    """The stores, and how to look into them behind the engine's back."""

    folder: Path
    url: str
    objects: Sequence[Laid] = field(default_factory=laid)
    _grounds: dict[str, Ground] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.s3: S3Client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="harness",
            aws_secret_access_key="not a secret",
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )
        for name, (_, _, location) in WHERE.items():
            where: Any = {"CreateBucketConfiguration": {"LocationConstraint": location}}
            self.s3.create_bucket(Bucket=bucket(name), **({} if location == "us-east-1" else where))
            if name != "singapore":
                self.s3.put_bucket_versioning(
                    Bucket=bucket(name), VersioningConfiguration={"Status": "Enabled"}
                )
        for it in self.objects:
            for name, body in (("us-east", it.primary), ("singapore", it.backup)):
                if body is not None:
                    self.s3.put_object(
                        Bucket=bucket(name), Key=it.key, Body=body, ChecksumAlgorithm="SHA256"
                    )

    def versions(self, name: str) -> list[tuple[str, str, str]]:
        """Return key, version and ETag of everything that was ever put at a site."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket(name))
        return [
            (it["Key"], it["VersionId"], it["ETag"])
            for page in pages
            for it in page.get("Versions", [])
        ]

    def puts(self) -> int:
        """Count the puts at the homes so far, but for those by which promises are tried."""
        log = (self.folder / "requests").read_bytes()
        fronts = [f"PUT /{bucket(name)}/" for name in HOMES]
        return sum(log.count(f.encode()) - log.count((f + TRIED).encode()) for f in fronts)

    def wipe(self) -> None:
        """Make the homes as empty as they were; the legacy sites are nobody's to write."""
        for name in HOMES:
            stale: Any = [{"Key": key, "VersionId": it} for key, it, _ in self.versions(name)]
            if stale:
                self.s3.delete_objects(Bucket=bucket(name), Delete={"Objects": stale})
            assert not self.versions(name)

    def legacy(self) -> str:
        """Digest what stands at the legacy sites: it must never change."""
        seen = [(name, *one) for name in LEGACY for one in self.versions(name)]
        return hashlib.sha256(repr(seen).encode()).hexdigest()

    def tree(self, url: str | None, runner: str, limits: Mapping[str, float]) -> Tree:
        """Describe this world as a user does, its stores perhaps behind another door."""
        sites = {
            name: site(
                role,
                law,
                {"endpoint": url or self.url, "region": location, "bucket": bucket(name)},
            )
            for name, (role, law, location) in WHERE.items()
        }
        return {
            "sites": sites,
            "regions": {
                "ready_made": [],
                "groups": {name: {"countries": list(them)} for name, them in REGIONS.items()},
                "home": {"default": "dublin-1", "NO": "hamar"},
                "standby": STANDBY,
            },
            "datasets": DATASETS,
            "runner": runner,
            "limits": {"stripe_slices": 2, "workers": 1, "lease_s": 600, **limits},
            "state": {"folder": "../state", "jurisdiction": "IE"},
        }

    def ground(self, name: str, tree: Tree, *, planned: bool = True) -> Ground:
        """Return the ground of that name, made when it is first asked for."""
        if name not in self._grounds:
            folder = self.folder / name
            folder.mkdir()
            settings.write(folder, tree)
            ground = Ground(folder, planned)
            for words in (["init"], ["plan"]) if planned else (["init"],):
                command(ground.config, *words)
            ground.state.rename(ground.before)
            self._grounds[name] = ground
        self._grounds[name].lay()
        return self._grounds[name]


def bucket(name: str) -> str:
    """Name the bucket of a site."""
    return f"fire-{name}"


def command(config: Path, *words: str) -> None:
    """Run a command that must succeed, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", "from flows.command import main; main()", *words],
        env=environment(config),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def environment(config: Path | None = None) -> Mapping[str, str]:
    """Return what a command needs around it: our credentials, and nobody's Prefect."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PREFECT")}
    where = {} if config is None else {CONFIG_VARIABLE: str(config)}
    return {**kept, **CREDENTIALS, **where, "PREFECT_PROFILES_PATH": os.devnull}


@contextmanager
def burning(folder: Path) -> Iterator[FireWorld]:
    """Run a world for the length of a ``with`` block."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(folder / "requests")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        yield FireWorld(folder, f"http://127.0.0.1:{int(server.stdout.readline())}")
    finally:
        server.send_signal(signal.SIGKILL)
        server.communicate()


def told(ground: Ground) -> dict[str, Any]:
    """Return what a ground's configuration says, as JSON has it."""
    found: dict[str, Any] = json.loads((ground.config / "everything.yaml").read_text("utf-8"))
    return found
