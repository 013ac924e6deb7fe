"""A small embedded world for the pages of docs/runbooks, and what happens in it meanwhile.

Two datasets: profiles as Parquet with a country, posts as JSON lines keyed by user alone. A page
says in a comment what happens between two of its commands; here it is done.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from flows.world.config import write_config
from flows.world.servers import World, start, stop
from flows.world.sites import BACKUP, CREDENTIALS, PRIMARY, SITES, WorldSite
from flows.world.stores import client, make_buckets

DUBLIN: Final = next(site for site in SITES if site.name == "dublin-1")
_CONFIG: Final = {
    "regions.yaml": """
regions:
  groups:
    IE: {countries: [IE]}
    DE: {countries: [DE]}
    NOR: {countries: [NO]}
  home: {default: dublin-1, DE: dublin-2, NOR: hamar}
""",
    "datasets.yaml": """
datasets:
  profiles:
    prefix: profiles/
    format: parquet
    identity: [user_id]
    user: user_id
    version: {name: version, type: int64}
    residency: {column: country}
  posts:
    prefix: posts/
    format: jsonl
    identity: [{name: post_id, type: int64}]
    user: user_id
    residency: {directory: profiles}
""",
    "state.yaml": """
state: {folder: ../state, jurisdiction: IE}
runner: threads
limits: {attempts: 2, wait_s_max: 0.01, lease_s: 1}
""",
}
_DIES_AT_ITS_FIRST_BATCH: Final = """
import os, signal
from flows.conduct import Conductor
from flows.jobs import Mode, Order
from flows.wiring import config_folder, open_house

class Deadly:
    def begins(self, plan, run, slices): pass
    def slice_done(self, dataset, label, failed): pass
    def passed_over(self, slices): pass
    def noticed(self, what): pass
    def batch(self, dataset, read, moved, bytes_read): os.kill(os.getpid(), signal.SIGKILL)

with open_house(config_folder()) as house:
    Conductor(house, Deadly()).move(Order(mode=Mode.LIVE))
"""


def profiles(people: Mapping[str, str | None], version: int = 1) -> bytes:
    """Write profiles: user → country."""
    table = pa.table(
        {
            "user_id": list(people),
            "country": pa.array(people.values(), pa.string()),
            "version": [version] * len(people),
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True)
    return sink.getvalue().to_pybytes()


FIRST: Final = {"u1": "IE", "u2": "DE", "u3": "US"}
SECOND: Final = {"u4": "IE", "u5": "NO", "u6": "BR"}
POSTS: Final = b"".join(
    b'{"post_id": %d, "user_id": "u%d"}\n' % (number, number) for number in (1, 2, 3, 4)
)


@dataclass(frozen=True)
class RunbookWorld:
    """A running world, and the commands' way into it."""

    world: World
    config: Path

    def put(self, key: str, body: bytes, site: WorldSite = PRIMARY) -> None:
        client(self.world, site).put_object(Bucket=site.bucket, Key=key, Body=body)

    def mirror(self, key: str, body: bytes) -> None:
        self.put(key, body)
        self.put(key, body, BACKUP)

    def delete(self, key: str, site: WorldSite = PRIMARY) -> None:
        client(self.world, site).delete_object(Bucket=site.bucket, Key=key)

    @property
    def variables(self) -> dict[str, str]:
        """What a command needs in its environment to work in this world."""
        return {
            **CREDENTIALS,
            "REPATRIA_CONFIG": str(self.config),
            "PREFECT_HOME": str(self.world.folder / "prefect"),
            "COLUMNS": "200",
        }

    def dies(self) -> None:
        """Kill a migration, as the kernel does for want of memory, after its first batch."""
        found = subprocess.run(
            [sys.executable, "-c", _DIES_AT_ITS_FIRST_BATCH],
            capture_output=True,
            timeout=120,
            check=False,
            env={**os.environ, **self.variables},
            cwd=Path(__file__).parents[2],
        )
        assert found.returncode == -signal.SIGKILL, found.stderr


def fresh(folder: Path) -> RunbookWorld:
    """Start a world that holds two objects of profiles and one of posts, all sound."""
    world = start(folder)
    make_buckets(world)
    config = write_config(world)
    for name, text in _CONFIG.items():
        (config / name).write_text(text, encoding="utf-8")
    made = RunbookWorld(world, config)
    made.mirror("profiles/2024/a.parquet", profiles(FIRST))
    made.mirror("profiles/2024/b.parquet", profiles(SECOND))
    made.mirror("posts/2024/a.jsonl", POSTS)
    return made


def end(made: RunbookWorld) -> None:
    """Stop it."""
    stop(made.world.folder)
