"""Plans ten million objects: how long it takes, how much memory, how large the ledger becomes.

Everything but the store is real: the command line, the S3 client over loopback, the spool, the
ledger on disk with its keys sealed. Run it with ``python -m bench.ten_million``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

import yaml
from rich.console import Console
from rich.table import Table

from bench.endless_store import BUCKETS, serve

_ROWS: Final = 400
_MIB: Final = 1024 * 1024


class Spent(NamedTuple):
    """What one command cost: seconds, seconds of processor, bytes at most of any process."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def config(endpoint: str, *, backup: bool) -> dict[str, object]:
    """Return a configuration whose every store is the endless one."""
    roles = {"primary": ("legacy-primary", "US"), "backup": ("legacy-backup", "SG")}
    sites = {}
    for bucket, region in BUCKETS.items():
        role, jurisdiction = roles.get(bucket, ("enclave", "IE"))
        store = {
            "endpoint": endpoint,
            "region": region,
            "bucket": bucket,
            "path_style": True,
            "credentials": {"environment": "BENCH"},
        }
        sites[bucket] = {
            "role": role,
            "jurisdiction": jurisdiction,
            "phase": "open",
            "store": store,
        }
    if not backup:
        del sites["backup"]
    return {
        "sites": sites,
        "regions": {"ready_made": ["EU27"], "home": {"default": "home"}},
        "datasets": {
            "profiles": {
                "prefix": "profiles/",
                "format": "parquet",
                "identity": ["user_id"],
                "user": "user_id",
                "residency": {"column": "country"},
            }
        },
        "state": {"folder": "../state", "jurisdiction": "IE"},
    }


def spend(arguments: list[str], environment: dict[str, str]) -> Spent:
    """Run a command to its end. Raises ``CalledProcessError`` where it fails."""
    began = time.monotonic()
    command = Path(sys.executable).with_name("repatria")
    process = subprocess.Popen([command, *arguments], env=environment)  # noqa: S603 - our own
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return Spent(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def measure(objects: int, folder: Path, *, backup: bool) -> tuple[Spent, int]:
    """Plan ``objects`` objects in ``folder``; return what it cost and the ledger's bytes."""
    server = serve(objects, _ROWS)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "config").mkdir()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    text = yaml.safe_dump(config(endpoint, backup=backup))
    (folder / "config" / "all.yaml").write_text(text, encoding="utf-8")
    environment = {
        **os.environ,
        "REPATRIA_CONFIG": str(folder / "config"),
        "BENCH_ACCESS_KEY_ID": "bench",
        "BENCH_SECRET_ACCESS_KEY": "bench",
    }
    spend(["init"], environment)
    spent = spend(["plan"], environment)
    server.shutdown()
    ledger = sum(part.stat().st_size for part in (folder / "state").glob("ledger*"))
    return spent, ledger


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000_000)
    parser.add_argument("--backup", action="store_true", help="list as many at the backup too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        spent, ledger = measure(asked.objects, Path(name), backup=asked.backup)
    table = Table("objects", "wall s", "CPU s", "peak MiB", "ledger MiB", "µs/object")
    table.add_row(
        f"{asked.objects:,}",
        f"{spent.wall_s:.1f}",
        f"{spent.cpu_s:.1f}",
        f"{spent.peak_bytes / _MIB:.0f}",
        f"{ledger / _MIB:.0f}",
        f"{spent.cpu_s / asked.objects * 1e6:.1f}",
    )
    Console().print(table)


if __name__ == "__main__":
    main()
