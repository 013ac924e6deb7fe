"""Where parcels stand, key by key."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from repatria.errors import ConfigRefused
from repatria.layout import Layout, part_of, reserved, split_extension
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.slice import Slice
from repatria.stored import ObjectVersion

IE = RegionName("IE")
LAYOUT = Layout(root="eu/", backup=SiteName("singapore"))


def piece(relative: str, number: int = 0, site: str = "us-east") -> Slice:
    return Slice(
        id=SliceId("0" * 32),
        dataset=DatasetName("profiles"),
        site=SiteName(site),
        object=ObjectVersion("x", 1, "etag"),
        relative=relative,
        label="an object",
        number=number,
    )


@pytest.mark.parametrize(
    "relative",
    [
        "2024/a.parquet",
        "a b+c%20d%.parquet",
        "Zoë/用户\u202e.parquet",
        "../../etc/passwd",
        "a//b/./c",
        "folder/",
        "",
        "~part-1-2.parquet",
        "a~part-00000-00001x.parquet",
        "x/_repatria/y",
    ],
)
def test_an_odd_key_arrives_unchanged(relative: str) -> None:
    assert reserved(relative) is None
    assert LAYOUT.parcel(IE, piece(relative), 0) == f"eu/profiles/region=IE/{relative}"


@pytest.mark.parametrize(
    ("relative", "arrives"),
    [
        ("a.parquet", "a~part-00002-00013.parquet"),
        ("a.jsonl.gz", "a~part-00002-00013.jsonl.gz"),
        ("A.CSV.ZST", "A~part-00002-00013.CSV.ZST"),
        ("a.snappy.parquet", "a.snappy~part-00002-00013.parquet"),
        ("log.gz", "log~part-00002-00013.gz"),
        ("a.b/c", "a.b/c~part-00002-00013"),
        ("folder/", "folder/~part-00002-00013"),
        (".parquet", "~part-00002-00013.parquet"),
    ],
)
def test_later_batches_name_their_part_before_the_extension(relative: str, arrives: str) -> None:
    assert LAYOUT.parcel(IE, piece(relative, 2), 13) == f"eu/profiles/region=IE/{arrives}"


def test_numbers_past_five_digits_grow() -> None:
    assert part_of(123_456, 7) == "~part-123456-00007"
    assert part_of(0, 0) == ""


def test_the_backup_has_a_folder_of_its_own() -> None:
    key = LAYOUT.parcel(IE, piece("a.parquet", site="singapore"), 1)
    assert key == "eu/profiles/region=IE/_repatria/singapore/a~part-00000-00001.parquet"


def test_a_key_of_1024_bytes_arrives_under_its_digest() -> None:
    relative = "é" * 508 + ".parquet"
    digest = hashlib.sha256(relative.encode()).hexdigest()
    front = "eu/profiles/region=IE/"
    assert LAYOUT.parcel(IE, piece(relative), 0) == f"{front}_repatria/long/{digest}.parquet"
    assert LAYOUT.parcel(IE, piece(relative), 3).endswith(f"{digest}~part-00000-00003.parquet")
    fits = "k" * (1024 - len(front))
    assert LAYOUT.parcel(IE, piece(fits), 0) == front + fits


def test_a_root_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ConfigRefused):
        replace(LAYOUT, root="r" * 1000 + "/").parcel(IE, piece("a" * 100), 0)


@pytest.mark.parametrize(
    "relative",
    ["_repatria/ada", "_repatria/long/x", "a~part-00000-00001.parquet", "a~part-123456-00001"],
)
def test_a_key_that_looks_like_ours_is_refused_without_being_quoted(relative: str) -> None:
    why = reserved(relative)
    assert why is not None
    assert relative not in why
    with pytest.raises(AssertionError):
        LAYOUT.parcel(IE, piece(relative), 0)


@pytest.mark.parametrize("name", ["long", "quarantine", "manifest.parquet", "a/b"])
def test_a_backup_site_may_not_be_called_as_a_folder_of_ours(name: str) -> None:
    with pytest.raises(ConfigRefused):
        Layout(backup=SiteName(name))


def test_our_own_objects_stand_under_our_own_folder() -> None:
    name = DatasetName("profiles")
    assert LAYOUT.prefix(name, IE) == "eu/profiles/region=IE/"
    assert LAYOUT.manifest(name, IE) == "eu/profiles/region=IE/_repatria/manifest.parquet"
    assert LAYOUT.quarantine(name, IE, "x") == "eu/profiles/region=IE/_repatria/quarantine/x"


def test_only_known_endings_are_extensions() -> None:
    assert split_extension("a.tar") == ("a.tar", "")
    assert split_extension("a.json.gz.bak") == ("a.json.gz.bak", "")
    assert split_extension("a.jsonl\n") == ("a.jsonl\n", "")
