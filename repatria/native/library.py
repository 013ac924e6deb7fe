"""The compiled library, if there is one: built at installation where there is a C compiler.

It is plain C behind ctypes, so that building it needs no headers of Python, and calling it lets go
of the interpreter's lock. Nothing depends on it: whoever uses it has a way of their own in NumPy,
with equal results. A library of another version than this module is as good as none.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Final

VERSION: Final = 4
"""Of what the library's functions take and give; the C sources name the same."""
LIBRARY: Final = Path(__file__).with_name("librepatria.so")


def opened(path: Path = LIBRARY) -> ctypes.CDLL | None:
    """Load a library; None where there is none that this machine and version can use."""
    if sys.byteorder != "little":
        return None
    try:
        library = ctypes.CDLL(str(path))
        version = int(library.repatria_version())
    except (OSError, AttributeError):
        return None
    return library if version == VERSION else None


NATIVE: Final = opened()
"""The library of this installation."""
