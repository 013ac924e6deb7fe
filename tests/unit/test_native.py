"""The compiled library is built where it can be, taken only at its version, and never needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.preparing import compiled
from repatria.finding import Grade
from repatria.native import build as building
from repatria.native import library
from tests.compiled import library_file


def test_no_compiler_means_no_library_and_removes_one_of_older_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    old = tmp_path / "library.so"
    old.write_bytes(b"older")
    assert not building.build(old)
    assert not old.exists()


def test_a_compiler_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "false")
    assert not building.build(tmp_path / "library.so")
    assert list(tmp_path.iterdir()) == []


def test_a_library_of_another_version_is_as_good_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with library_file() as path:
        assert library.opened(path) is not None
        monkeypatch.setattr(library, "VERSION", library.VERSION + 1)
        assert library.opened(path) is None
    assert library.opened(tmp_path / "absent.so") is None
    (tmp_path / "text.so").write_text("no library")
    assert library.opened(tmp_path / "text.so") is None


def test_the_doctor_notes_a_missing_library_and_nothing_worse() -> None:
    assert compiled(object()).grade is Grade.WELL
    assert compiled(None).grade is Grade.NOTE
    assert "compiler" in compiled(None).means
