"""Where Arrow's memory comes from: one heap that keeps its pages for the next batch.

Batches are alike, and each is tens of megabytes that come and go. An allocator that gives such
pieces back to the system at once has the next batch's pages zeroed and mapped anew, which was a
fifth of the whole cost of a move (docs/performance.md). So the C library's allocator is used, told
to keep what it has: up to ``KEPT_BYTES`` at the end of its heap, and large pieces inside of it. One
heap, not one per thread, so that threads hand on to each other what they freed. Where the C
library is another one, Arrow's own choice stays. A process that was given little memory pays the
price and gives pages back.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

import pyarrow as pa

from repatria.limits import MIB

KEPT_BYTES: Final = 512 * MIB
_INSIDE_BYTES: Final = 1024 * MIB
_KEPT_OF_LITTLE, _INSIDE_OF_LITTLE = 8 * MIB, MIB
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Names of mallopt(3), as glibc's malloc.h numbers them."""


@cache
def settle(*, keeping: bool = True) -> bool:
    """Choose the allocator of this process, once; say whether it was ours to choose.

    ``keeping`` says whether pages that are free stay for the next batch.

    Meant to be called before much is allocated: what was is freed where it came from.
    """
    library = ctypes.CDLL(None)
    if not all(hasattr(library, name) for name in ("gnu_get_libc_version", "mallopt")):
        return False
    library.mallopt(_MMAP_THRESHOLD, _INSIDE_BYTES if keeping else _INSIDE_OF_LITTLE)
    library.mallopt(_TRIM_THRESHOLD, KEPT_BYTES if keeping else _KEPT_OF_LITTLE)
    library.mallopt(_ARENA_MAX, 1)
    pa.set_memory_pool(pa.system_memory_pool())
    return True
