"""Dumps a filled ledger of today's schema, before the next one is written; a program.

python -m tests.contract.dump_ledger tests/vectors/ledger-<revision>
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from connectors.sql.ledger import open_ledger
from tests.contract.former_ledger import fill
from tests.postgres import USER, Postgres, programs


def dump(into: Path) -> None:
    """Write ``sqlite.sql`` and ``postgresql.sql``."""
    into.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l.db"
        with open_ledger(f"sqlite:///{path}", create=True) as ledger:
            fill(ledger)
        with closing(sqlite3.connect(path)) as connection:
            (into / "sqlite.sql").write_text("\n".join(connection.iterdump()) + "\n", "utf-8")
    server = Postgres()
    try:
        name = server.database()
        with open_ledger(server.url(name), create=True) as ledger:
            fill(ledger)
        (into / "postgresql.sql").write_text(_postgresql(server, name), "utf-8")
    finally:
        server.stop()


def _postgresql(server: Postgres, name: str) -> str:
    folder = programs()
    assert folder is not None, "a server is running"
    told = ("--inserts", "--no-owner", "--no-privileges", "-h", str(server.folder), "-U", USER)
    command = [str(folder / "pg_dump"), *told, name]
    found = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout
    kept = [line for line in found.splitlines() if line and not line.startswith(("--", "\\"))]
    return "\n".join(kept) + "\n"


if __name__ == "__main__":
    dump(Path(sys.argv[1]))
