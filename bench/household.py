"""A Repatria of its own for each run: configuration, state and ledger in a folder that goes away.

The commands are the product's own, in processes of their own, with the configuration's defaults:
``migrate --live`` verifies every parcel and keeps its ledger, receipts and leases.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Final

from bench.contenders.order import KEY, SECRET
from bench.measure import Command
from bench.people import HOMES, REGIONS
from bench.seed import BUCKET, PREFIX, Form

ROOT: Final = Path(__file__).parents[1]
_ENTRY: Final = "from flows.command import main; main()"
"""What the installed command does, of this tree."""
JURISDICTIONS: Final = {"dublin-1": "IE", "hamar": "NO"}
LOCATIONS: Final = {"dublin-1": "eu-west-1", "hamar": "no-hamar-1"}

_SITES: Final = Template("""sites:
  us-east:
    role: legacy-primary
    jurisdiction: US
    phase: open
    store: {endpoint: "$endpoint", region: us-east-1, bucket: $bucket,
            path_style: true, credentials: {environment: BENCH}}
""")
_HOME: Final = Template("""  $home:
    role: enclave
    jurisdiction: "$jurisdiction"
    phase: open
    opens: 2025-01-01
    capacity: 1 TiB
    store: {endpoint: "$endpoint", region: $location, bucket: $bucket,
            path_style: true, credentials: {environment: BENCH}}
""")
_DATASETS: Final = Template("""datasets:
  profiles:
    prefix: $prefix
    format: $form
    identity: [user_id]
    user: user_id
    version: {name: version, type: int64}
    residency: {column: country}
    unknown_country: quarantine
    backup: ignore
    fields: {user_id: personal, name: personal, email: personal, address: personal}
""")
_STATE: Final = """state:
  folder: ../state
  jurisdiction: IE
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Where one run has everything. ``homes`` names the bucket of each home; ``limits`` is text."""

    folder: Path
    endpoint: str
    homes: Mapping[str, str]
    form: Form
    limits: Mapping[str, object] = field(default_factory=dict)
    runner: str | None = None

    def furnish(self) -> None:
        """Write the configuration."""
        config = self.folder / "config"
        config.mkdir(parents=True)
        for name, text in self._files():
            (config / f"{name}.yaml").write_text(text, "utf-8")

    def _files(self) -> list[tuple[str, str]]:
        form = "parquet" if self.form is Form.PARQUET else "jsonl"
        sites = _SITES.substitute(endpoint=self.endpoint, bucket=BUCKET) + "".join(
            _HOME.substitute(
                home=home,
                jurisdiction=JURISDICTIONS[home],
                location=LOCATIONS[home],
                endpoint=self.endpoint,
                bucket=bucket,
            )
            for home, bucket in self.homes.items()
        )
        limits = "".join(f"  {name}: {value}\n" for name, value in self.limits.items())
        said = _STATE + (f"\nlimits:\n{limits}" if limits else "")
        said += f"\nrunner: {self.runner}\n" if self.runner else ""
        return [
            ("sites", sites),
            ("regions", _regions()),
            ("datasets", _DATASETS.substitute(prefix=PREFIX, form=form)),
            ("state", said),
        ]

    def command(self, *words: str) -> Command:
        """Return a command of Repatria's, to be measured."""
        return self._program("-c", _ENTRY, *words)

    def tapped(self, out: Path, *words: str) -> Command:
        """Return the same with a meter on its ledger, which writes ``out``."""
        return self._program("-m", "bench.tapped", str(out), *words)

    def _program(self, *words: str) -> Command:
        kept = {name: value for name, value in os.environ.items() if _ours_to_keep(name)}
        return Command(
            arguments=[sys.executable, *words],
            environment={
                **kept,
                "REPATRIA_CONFIG": str(self.folder / "config"),
                "PREFECT_HOME": str(self.folder / "prefect"),
                "PYTHONPYCACHEPREFIX": str(self.folder.parent / "bytecode"),
                "BENCH_ACCESS_KEY_ID": KEY,
                "BENCH_SECRET_ACCESS_KEY": SECRET,
            },
            folder=ROOT,
            log=self.folder / "log",
        )


def _ours_to_keep(name: str) -> bool:
    """Whether a variable may reach the command: what is installed has its bytecode at hand."""
    return "PREFECT" not in name and name != "PYTHONDONTWRITEBYTECODE"


def _regions() -> str:
    groups = "".join(
        f"    {name}: {{countries: [{', '.join(map(_quoted, countries))}], home: {HOMES[name]}}}\n"
        for name, countries in REGIONS.items()
    )
    return f"regions:\n  groups:\n{groups}"


def _quoted(country: str) -> str:
    return f'"{country}"'
