"""A spool gives its chunks back in order, as often as it is asked, and then it is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.spool import FileSpool, MemorySpool
from repatria.errors import DiskRefused
from repatria.ports.spool import Spool

CHUNKS = [b"one", b"", b"\x00" * 70_000, b"last"]
KINDS: list[Callable[[Path], Spool]] = [FileSpool, lambda _: MemorySpool()]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_read_from_the_start_each_time(tmp_path: Path, kind: Callable[[Path], Spool]) -> None:
    with kind(tmp_path) as spool:
        for chunk in CHUNKS:
            spool.append(chunk)
        assert list(spool) == list(spool) == CHUNKS
        spool.append(b"more")
        assert list(spool) == [*CHUNKS, b"more"]


@pytest.mark.parametrize("kind", KINDS)
def test_two_readers_do_not_disturb_each_other(
    tmp_path: Path, kind: Callable[[Path], Spool]
) -> None:
    with kind(tmp_path) as spool:
        for chunk in CHUNKS:
            spool.append(chunk)
        assert list(zip(spool, spool, strict=True)) == list(zip(CHUNKS, CHUNKS, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_appended_after_a_broken_off_reading_comes_last(
    tmp_path: Path, kind: Callable[[Path], Spool]
) -> None:
    with kind(tmp_path) as spool:
        for chunk in CHUNKS:
            spool.append(chunk)
        assert next(iter(spool)) == CHUNKS[0]
        spool.append(b"more")
        assert list(spool) == [*CHUNKS, b"more"]


def test_a_file_is_nowhere_to_be_seen(tmp_path: Path) -> None:
    with FileSpool(tmp_path) as spool:
        spool.append(b"secret")
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiskRefused):
        FileSpool(tmp_path / "none")
