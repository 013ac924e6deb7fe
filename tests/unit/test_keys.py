"""Keys: derived by purpose, refused when others could know them, never shown."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from connectors.keys import EnvironmentKeys, FileKeys
from repatria.errors import KeyRefused

MASTER = bytes(range(100, 132))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    path.write_bytes(MASTER)
    path.chmod(0o600)
    return path


def test_a_purpose_always_has_the_same_key_and_no_other_purpose_has_it(path: Path) -> None:
    keys = FileKeys(path)
    assert keys.key("records") == FileKeys(path).key("records")
    assert len({keys.key("records"), keys.key("directory"), keys.key(""), MASTER}) == 4
    assert len(keys.key("records")) == 32


def test_the_derivation_is_the_documented_one(path: Path) -> None:
    assert FileKeys(path).key("records").hex() == (
        "9455a67ac88d1e9d39c859e113735e3c5b02f0ba9377f0df58e20a6a80b4db1e"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o666, 0o601])
def test_a_file_that_others_may_touch_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="open to others"):
        FileKeys(path)


def test_a_symbolic_link_is_refused(path: Path) -> None:
    link = path.with_name("link.key")
    link.symlink_to(path)
    with pytest.raises(KeyRefused, match="symbolic link"):
        FileKeys(link)


def test_a_folder_a_pipe_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe, tmp_path / "absent"):
        with pytest.raises(KeyRefused):
            FileKeys(path)


def test_a_file_of_somebody_else_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = path.stat().st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(KeyRefused, match="somebody else"):
        FileKeys(path)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_file_of_another_length_is_refused(path: Path, size: int) -> None:
    path.write_bytes(b"k" * size)
    with pytest.raises(KeyRefused, match="32 bytes"):
        FileKeys(path)


def test_a_new_key_is_random_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "new.key"
    made = FileKeys.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert FileKeys(path).key("a") == made.key("a")
    assert FileKeys.create(tmp_path / "other.key").key("a") != made.key("a")
    with pytest.raises(KeyRefused, match="never overwritten"):
        FileKeys.create(path)
    assert FileKeys(path).key("a") == made.key("a")


@pytest.mark.parametrize(
    "text", [MASTER.hex(), base64.b64encode(MASTER).decode(), MASTER.hex().upper() + "\n"]
)
def test_a_variable_may_hold_hex_or_base64(path: Path, text: str) -> None:
    assert EnvironmentKeys("KEY", {"KEY": text}).key("a") == FileKeys(path).key("a")


@pytest.mark.parametrize("text", ["", " ", "z" * 64, MASTER.hex()[:-2], "not base64!", "a2V5"])
def test_a_variable_that_holds_no_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        EnvironmentKeys("KEY", {"KEY": text})
    assert not text.strip() or text not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_unset_variable_is_refused_and_the_environment_is_what_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(KeyRefused, match="not set"):
        EnvironmentKeys("REPATRIA_TEST_KEY")
    monkeypatch.setenv("REPATRIA_TEST_KEY", MASTER.hex())
    assert EnvironmentKeys("REPATRIA_TEST_KEY").key("a")


def test_keys_are_not_printed(path: Path) -> None:
    assert MASTER.hex() not in repr(FileKeys(path))
    assert str(MASTER) not in repr(FileKeys(path))
