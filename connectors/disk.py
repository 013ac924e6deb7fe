"""What every file of ours on a local disk needs: translated errors, folders and names of our own.

What is unfinished bears the name of the process that is at it, so that whoever comes after a
crash can tell what nobody will finish, and remove it: a crash costs room, but not for good.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from connectors.process import holder, is_dead
from repatria.errors import DiskRefused

_OWNED: Final = re.compile(r"~([^~]+)~(\d+)~([^~]+)~")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Translate the operating system's errors; ``what`` names the kind of file."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "unknown"
        raise DiskRefused("the local disk refused", file=what, reason=reason) from error


def own_folder(folder: Path) -> None:
    """Make a folder that nobody else may enter, or take one that is there and ours.

    Raises ``DiskRefused`` for a folder of somebody else, and for a symbolic link.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise DiskRefused("a working folder must be a folder of our own", file=folder.name)


def unfinished(name: str) -> str:
    """Return a name for what this process is making, and nobody else."""
    return f"{name}~{holder().replace('/', '~')}~{secrets.token_hex(8)}"


def sweep(folder: Path) -> None:
    """Remove what processes left unfinished in ``folder`` that are known to be dead."""
    for path in folder.iterdir() if folder.exists() else ():
        owned = _OWNED.search(path.name)
        if owned is None or not is_dead("/".join(owned.groups())):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a small file whole or not at all, and have it on the disk. Raises ``DiskRefused``."""
    with translated(path.name):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(path.parent)
        fresh = path.with_name(unfinished(path.name))
        try:
            with fresh.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
