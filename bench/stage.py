"""Where one contender runs once: empty homes, a folder of its own, and the order in it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench.contenders.order import KEY, SECRET, Order
from bench.household import LOCATIONS, ROOT, Household
from bench.measure import Command
from bench.people import HOMES, REGIONS
from bench.seed import BUCKET, PREFIX, Seeded
from bench.store import Store

CODEC: Final = ("zstd", 1)
"""What Repatria writes Parquet with; the judge looks that everybody did."""

GZIP_LEVEL: Final = 3
"""What Repatria packs lines with, and so everybody."""

THREADS: Final = 2
_BIN: Final = ROOT / ".venv-bench" / "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One run of one contender."""

    folder: Path
    store: Store
    data: Seeded
    homes: Mapping[str, str]

    @property
    def order(self) -> Order:
        """What is to be done, as contenders read it."""
        return Order(
            endpoint=self.store.endpoint,
            bucket=BUCKET,
            prefix=PREFIX,
            form=self.data.shape.form.value,
            homes=self.homes,
            countries={home: REGIONS[name] for name, home in HOMES.items()},
            codec=CODEC[0],
            level=CODEC[1],
            gzip_level=GZIP_LEVEL,
            scratch=str(self.folder / "scratch"),
        )

    def household(
        self, *, limits: Mapping[str, object] = MappingProxyType({}), runner: str | None = None
    ) -> Household:
        """Return a Repatria for this stage."""
        return Household(
            folder=self.folder,
            endpoint=self.store.endpoint,
            homes=self.homes,
            form=self.data.shape.form,
            limits=limits,
            runner=runner,
        )

    def script(self, module: str) -> Command:
        """Return a contender's script as a command."""
        file = self.folder / "order.json"
        self.order.save(file)
        return self.tool("python", "-m", f"bench.contenders.{module}", str(file))

    def tool(self, name: str, *arguments: str) -> Command:
        """Return a program of the contenders' environment as a command, two threads for each."""
        return Command(
            arguments=[str(_BIN / name), *arguments],
            environment={**os.environ, **_environment(self.store.endpoint)},
            folder=ROOT,
            log=self.folder / "log",
        )


def _environment(endpoint: str) -> dict[str, str]:
    threads = ("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "GOMAXPROCS")
    return {
        **dict.fromkeys(threads, str(THREADS)),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "DO_NOT_TRACK": "1",
        "DAFT_ANALYTICS_ENABLED": "0",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


@contextmanager
def staged(store: Store, data: Seeded, under: Path) -> Iterator[Stage]:
    """Set a stage with empty homes; all of it goes away."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=under))
    (folder / "scratch").mkdir()
    homes = {home: f"home-{home}" for home in HOMES.values()}
    for home, bucket in homes.items():
        store.make(bucket, LOCATIONS[home])
    try:
        yield Stage(folder=folder, store=store, data=data, homes=homes)
    finally:
        for bucket in homes.values():
            store.drop(bucket)
        shutil.rmtree(folder)
