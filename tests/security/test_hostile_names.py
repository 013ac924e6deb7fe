"""Names that strangers chose: shown harmlessly, moved as they are, and never a path of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.disk import own_folder
from connectors.memory.bucket import MemoryBucket
from connectors.object_source import ObjectSource
from connectors.sections import read, write
from connectors.spill import DiskSpills
from flows.command.screen.quarantine_table import show_list
from repatria.errors import BadObject, DiskRefused
from repatria.legible import CHARACTERS_MAX, legible
from tests.people import US
from tests.scenario.crossing import CASES, Crossing, good
from tests.scenario.enclave import CODECS, KEY, of_notes
from tests.unit.parquet_samples import parquet

HOSTILE = (
    "a\nERROR forged line\r\n.jsonl",
    "\x1b[2J\x1b]0;title\x07.jsonl",
    "\u202egnp.exe\u2066.jsonl",
    "{{7*7}}${7*7}<script>alert(1)</script>%s%n.jsonl",
    "'; drop table receipts; --.jsonl",
    "=cmd|' /C calc'!A0.jsonl",
    "[bold red]markup[/] [link=https://example.net]here[/link].jsonl",
    "\x00\x7f\x9b31m.jsonl",
    "../../../etc/passwd%00.jsonl",
)
MAGIC = b"repatria test 1\n"
LAYOUT = {"number": "<u8"}


def test_what_can_be_shown_is_left_as_it_is() -> None:
    for text in ("plain", "søndag ☃ 東京", "a b+c%2F", HOSTILE[3], HOSTILE[4]):
        assert legible(text) is text


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_moves_a_cursor_or_forges_a_line(name: str) -> None:
    assert legible(name).isprintable()
    assert str(BadObject("bad", object=name)).isprintable()
    assert len(legible("x" * 10 * CHARACTERS_MAX)) == CHARACTERS_MAX + 1


def test_hostile_names_are_told_harmlessly_and_arrive_unchanged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enclave = of_notes(tmp_path)
    for number, name in enumerate(HOSTILE):
        enclave.note(name, (f"n{number}", "IE"), (f"z{number}", "ZZ"))
        enclave.us.plant(f"notes/bad{name}.gz", b"no gzip")
    enclave.migrate(enclave.plan())
    assert {key.partition("region=IE/")[2] for key in enclave.standing()} == set(HOSTILE)
    failures = list(enclave.ledger.failures())
    assert len(failures) == len(HOSTILE)
    assert all(failure.label.isprintable() and failure.why.isprintable() for failure in failures)
    show_list(list(enclave.ledger.waiting()))
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    assert "[bold red]markup" in shown.replace("\n", ""), "markup of a name is text"


def test_a_column_with_a_hostile_name_is_told_harmlessly(tmp_path: Path) -> None:
    rows = pa.table({"case_n": [1], "case_user": ["u"], "\x1b[31m\n": [[[["deep"]]]]})
    crossing = Crossing(tmp_path, CASES, {"a.parquet": good(CASES), "b.parquet": parquet(rows)})
    (failure,) = crossing.failures.values()
    assert failure.why.isprintable()


@pytest.mark.parametrize("key", ["_repatria/manifest.parquet", "a~part-00000-00001.jsonl"])
def test_a_key_that_collides_with_ours_is_refused(tmp_path: Path, key: str) -> None:
    enclave = of_notes(tmp_path)
    enclave.note(key, ("i1", "IE"))
    enclave.note("good.jsonl", ("i2", "IE"))
    enclave.migrate(enclave.plan())
    assert {name for _, _, name in enclave.trusted()} == {"i2"}
    (failure,) = enclave.ledger.failures()
    assert failure.label.startswith(key)


def test_a_key_longer_than_any_store_takes_is_refused(tmp_path: Path) -> None:
    bucket = MemoryBucket(US.name)
    enclave = of_notes(tmp_path)
    source = ObjectSource(bucket, "", CODECS, KEY)
    dataset = enclave.datasets[next(iter(enclave.datasets))]
    for length in (1_024, 1_025):
        bucket.plant("notes/" + "k" * (length - 6), b"")
        (found,) = (it for it in source.objects(dataset) if len(it.object.key) == length)
        (piece,) = source.cut(dataset, found)
        if length == 1_024:
            assert len(list(source.batches(dataset, piece, None))) == 1
        else:
            with pytest.raises(BadObject, match="longer than"):
                list(source.batches(dataset, piece, None))


# Files and folders of ours.


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "real", MAGIC, LAYOUT, {}, [])
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read(tmp_path / "real", MAGIC, LAYOUT).facts == {}
    with pytest.raises(DiskRefused):
        read(tmp_path / "link", MAGIC, LAYOUT)


def test_a_file_is_written_in_the_place_of_a_link_and_not_through_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / "file").symlink_to(victim)
    write(tmp_path / "file", MAGIC, LAYOUT, {}, [])
    assert victim.read_text() == "theirs"
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path / "file", MAGIC, LAYOUT, {}, [])
    (tmp_path / "file").chmod(mode)
    with pytest.raises(DiskRefused):
        read(tmp_path / "file", MAGIC, LAYOUT)


def test_a_pipe_in_the_place_of_a_file_neither_blocks_nor_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DiskRefused):
        read(tmp_path / "pipe", MAGIC, LAYOUT)


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(DiskRefused):
        own_folder(tmp_path / "link")
    with pytest.raises(DiskRefused), DiskSpills(tmp_path / "link").open(None):  # type: ignore[arg-type]
        raise AssertionError("a spill went through a link")


def test_a_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folder(tmp_path / "mine")
    monkeypatch.setattr(os, "geteuid", lambda: (tmp_path / "mine").stat().st_uid + 1)
    with pytest.raises(DiskRefused, match="of our own"):
        own_folder(tmp_path / "mine")
