"""Who this process is, and whether another one is dead, as far as this machine can tell.

A name holds the boot of the machine, the process number and the time at which it started, so
that a number used again is another process. Containers share a boot but not their numbers, so the
namespace of the numbers is told with it. Where the kernel does not tell (no ``/proc``), nobody is
ever called dead, and a lease is taken over only after it was watched for its whole length.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_NONCE: Final = secrets.token_hex(4)
_STARTED_AT: Final = 19  # Field 22 of /proc/<pid>/stat (proc(5)), counted after the name.


def holder() -> str:
    """Name this process: boot, number, start, and a random part where those are not known."""
    return "/".join((_boot() or _NONCE, str(os.getpid()), _started(os.getpid()) or _NONCE))


def is_dead(name: str) -> bool:
    """Say whether the process of that name ran on this boot of this machine and runs no more."""
    boot, _, rest = name.partition("/")
    number, _, started = rest.partition("/")
    if not number.isdigit() or not boot or boot != _boot():
        return False
    return _started(int(number)) != started


def _boot() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}-{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _started(number: int) -> str:
    """Return the tick at which a process started; empty for one that is gone or a zombie."""
    try:
        told = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = told.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[_STARTED_AT]
