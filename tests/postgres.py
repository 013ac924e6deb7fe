"""A PostgreSQL server that the suite starts, kills and throws away: Debian's package, no network.

It refuses to run as root, and so is started as the user that its package made. Its folder is
nobody else's; who may reach the socket in it need not tell a password.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg

from connectors.sql.tables import metadata

USER: Final = "repatria"
NOT_RUN: Final = "NOT RUN for want of PostgreSQL (apt-get install postgresql)"
QUICK: Final = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""What a server may do that will never be killed."""

_PROGRAMS: Final = Path("/usr/lib/postgresql")
_names: Final = count(1)
_PR_SET_PDEATHSIG: Final = 1


def programs() -> Path | None:
    """Return the folder of the newest server that is installed, or None."""
    found = sorted(_PROGRAMS.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    other = shutil.which("postgres")
    return Path(other).parent if other is not None else None


def _ends_with_us() -> None:
    """Let the kernel end a server whose suite was killed (prctl(2)); only Linux knows how."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


class Postgres:
    """One server in a folder of its own. ``kill`` is as when the power fails."""

    def __init__(self, settings: Sequence[str] = ()) -> None:
        found = programs()
        assert found is not None, "whoever starts a server looks for it first"
        self._bin = found
        self._settings = settings
        self._as: dict[str, Any] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        made = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={USER}")
        self._run("initdb", "--no-sync", *made, "--pgdata", str(self.folder / "data"))
        self.start()

    @property
    def number(self) -> int:
        """The process of the server."""
        assert self._process is not None, "it was started"
        return self._process.pid

    def start(self) -> None:
        """Start the server, and wait until it answers; after a kill it recovers first."""
        told = [part for setting in self._settings for part in ("-c", setting)]
        here = ["-k", str(self.folder), "-c", "listen_addresses=", "-c", "logging_collector=off"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", *here, *told],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=_ends_with_us,  # noqa: PLW1509 - one call of the kernel, and no lock
                **self._as,
            )
        while not self._answers():
            if self._process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        """Kill the server and everything that it started, at once."""
        assert self._process is not None, "it was started"
        self._process.send_signal(signal.SIGSTOP)  # It begins nothing more while we look.
        children = self._children()
        self._process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End the server, and remove all that it kept."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder)

    def database(self) -> str:
        """Make a database, and return its name."""
        name = f"d{next(_names)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def empty(self, database: str) -> None:
        """Forget all that a ledger holds, but for its id, its seal and its schema."""
        kept = {"about", "alembic_version"}
        tables = ", ".join(name for name in metadata.tables if name not in kept)
        self.execute(f"TRUNCATE {tables} RESTART IDENTITY", database)

    def url(self, database: str) -> str:
        """Return the URL of a database, as a configuration would have it."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement, and return what it answers."""
        with self.connect(database) as connection:
            found = connection.execute(statement)
            return list(found) if found.description is not None else []

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """Open a connection in which each statement stands alone."""
        return psycopg.connect(
            host=str(self.folder), user=USER, dbname=database, autocommit=True, connect_timeout=10
        )

    def load(self, script: Path, database: str) -> None:
        """Run a script of SQL, as ``pg_dump`` writes one."""
        told = ("-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-U", USER, "-d", database)
        self._run("psql", *told, stdin=script.read_bytes())

    def _run(self, program: str, *told: str, stdin: bytes = b"") -> None:
        done = subprocess.run(
            [self._bin / program, *told],
            input=stdin,
            capture_output=True,
            cwd="/",
            check=False,
            **self._as,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    def _answers(self) -> bool:
        asked = [str(self._bin / "pg_isready"), "-q", "-h", str(self.folder), "-U", USER, "-t", "5"]
        return subprocess.run(asked, cwd="/", check=False, **self._as).returncode == 0

    def _children(self) -> list[int]:
        told = Path(f"/proc/{self.number}/task/{self.number}/children").read_text(encoding="ascii")
        return [int(number) for number in told.split()]
