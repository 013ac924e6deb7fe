"""What every file of ours on a local disk needs: folders of our own, translated errors."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repatria.errors import DiskRefused


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
