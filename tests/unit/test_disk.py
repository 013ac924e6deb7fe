"""Files of ours on a local disk: whole or not at all, and nobody's leftovers for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from connectors.disk import sweep, unfinished, write_whole
from connectors.spill import DiskSpills
from repatria.errors import DiskRefused


def of_the_dead(name: str) -> str:
    """Return the name of what a process that has ended was making."""
    ran = subprocess.run(
        [sys.executable, "-c", f"from connectors.disk import *; print(unfinished({name!r}))"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip()


def test_what_the_dead_left_unfinished_is_swept_and_nothing_else(tmp_path: Path) -> None:
    left, folder = tmp_path / of_the_dead("file"), tmp_path / of_the_dead("folder")
    left.touch()
    folder.mkdir()
    (folder / "part").touch()
    (tmp_path / unfinished("mine")).touch()
    (tmp_path / "somebody's~own~1~file~").touch()
    (tmp_path / "finished").touch()
    sweep(tmp_path)
    assert not left.exists()
    assert not folder.exists()
    assert len(list(tmp_path.iterdir())) == 3


def test_a_link_that_looks_like_a_leftover_leads_to_nothing_being_swept(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").touch()
    (tmp_path / of_the_dead("link")).symlink_to(target)
    sweep(tmp_path)
    assert (target / "kept").exists()


def test_a_spill_of_the_dead_is_gone_when_the_next_is_opened(tmp_path: Path) -> None:
    left = tmp_path / of_the_dead("spill")
    left.mkdir()
    with DiskSpills(tmp_path).open(np.dtype("u8")):
        assert not left.exists()


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "note"
    write_whole(path, "one")
    write_whole(path, "two")
    assert path.read_text() == "two"
    assert [it.name for it in path.parent.iterdir()] == ["note"]


def test_a_file_that_cannot_be_written_is_refused_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "note"
    write_whole(path, "one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskRefused, match="No space left on device"):
        write_whole(path, "two")
    assert path.read_text() == "one"
    assert [it.name for it in tmp_path.iterdir()] == ["note"]
