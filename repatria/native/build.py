"""Builds the compiled library beside its sources: at installation, or by hand.

    python -m repatria.native.build               into this package
    python -m repatria.native.build --sanitized <file>   with every access watched, for trials

A missing or failing compiler is no failure: without the library NumPy does the work. A library
that was there is removed first, so that none outlives its sources. Imports nothing of the package,
because the installer runs this file alone.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
LIBRARY: Final = "librepatria.so"
SOURCES: Final = ("digest.c", "json.c", "crc.c")
_FLAGS: Final = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")
SANITIZED: Final = (
    *("-g", "-DREPATRIA_PLAIN", "-fsanitize=address,undefined"),
    *("-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
)
"""One version of each loop: the sanitisers come before what chooses between several."""
_WAYS: Final[tuple[tuple[str, ...], ...]] = ((), ("-DREPATRIA_PLAIN",))
"""The second is for compilers that cannot make several versions of one loop."""


def compiler() -> list[str] | None:
    """Return the command of the C compiler (``CC``, or ``cc``), or None where there is none."""
    command = shlex.split(os.environ.get("CC", "cc"))
    return command if command and shutil.which(command[0]) else None


def build(into: Path, *, sanitized: bool = False) -> bool:
    """Compile the library to the file ``into``; say whether there is one now."""
    into.unlink(missing_ok=True)
    command = compiler()
    if command is None:
        return False
    ways = (SANITIZED,) if sanitized else _WAYS
    with tempfile.TemporaryDirectory(dir=into.parent) as folder:
        made = Path(folder) / into.name
        if not any(_compiled(command, flags, made) for flags in ways):
            return False
        made.replace(into)
    return True


def _compiled(command: Sequence[str], flags: Sequence[str], into: Path) -> bool:
    sources = [str(FOLDER / name) for name in SOURCES]
    asked = [*command, *_FLAGS, *flags, "-o", str(into), *sources]
    try:
        return subprocess.run(asked, check=False, capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


def main(arguments: Sequence[str]) -> int:
    """Build as the command line says."""
    sanitized = arguments[:1] == ["--sanitized"]
    into = Path(arguments[1]) if sanitized else FOLDER / LIBRARY
    built = build(into.absolute(), sanitized=sanitized)
    print("built" if built else "not built: there is no C compiler, or it failed")  # noqa: T201
    return 0 if built else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
