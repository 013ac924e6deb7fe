"""The compiled library of these very sources, built once for the tests that ask for it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from repatria.digest.kernel import Kernel
from repatria.native.build import build, compiler
from repatria.native.library import opened

NOT_RUN = "NOT RUN for want of a C compiler: what the compiled library gives (apt-get install gcc)"


@contextmanager
def library_file(*, sanitized: bool = False) -> Iterator[Path]:
    """Build the library into a folder that goes; a compiler that is there must not fail."""
    if compiler() is None:
        pytest.skip(NOT_RUN)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.so"
        assert build(path, sanitized=sanitized), "the compiler refuses our sources"
        yield path


@contextmanager
def fresh_kernel() -> Iterator[Kernel]:
    """Give a kernel built from the sources as they are."""
    with library_file() as path:
        library = opened(path)
        assert library is not None, "the library has the version that its module asks for"
        yield Kernel(library)


def sanitizer() -> dict[str, str] | None:
    """Return the environment in which a sanitised library can be loaded; None if there is none."""
    command = [*(compiler() or []), "-print-file-name=libasan.so"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    if not Path(found).is_absolute():
        return None
    return {
        **os.environ,
        "LD_PRELOAD": found,
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
