"""The directory: built from rows in any order, asked about anybody, opened only as it was made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.directory_file import LAYOUT, MAGIC, DirectoryFile, DirectoryFileShelf
from connectors.memory.contest import NoContest
from connectors.memory.regions import MemoryRegions
from connectors.memory.spill import MemorySpills
from connectors.sections import write
from connectors.spill import DiskSpills
from repatria.dataset import ByCountry, Column, ColumnType, Dataset, Format
from repatria.digest import Digester
from repatria.directory import Built, DirectoryBuilder
from repatria.errors import BadObject, ConfigRefused, Damaged, DiskRefused, PlanRefused, Transient
from repatria.names import DatasetName, RegionName, SiteName
from repatria.ports.spill import DirectoryBlock, DirectoryHead, Spills
from tests.property.tables import Held, TableSource, piece

DIGESTER = Digester(b"directory key 16")
REGIONS = tuple(RegionName(name) for name in ("DE", "FR", "IE"))
PROFILES = Dataset(
    name=DatasetName("profiles"),
    prefix="profiles/",
    format=Format.PARQUET,
    identity=(Column("user"),),
    user=Column("user"),
    residency=ByCountry("code"),
    version=Column("version", ColumnType.INT64),
)
UNDATED = Dataset(
    name=DatasetName("profiles"),
    prefix="profiles/",
    format=Format.PARQUET,
    identity=(Column("user"),),
    user=Column("user"),
    residency=ByCountry("code"),
)
Row = tuple[str | None, int, int | None]


def table(rows: list[Row]) -> pa.Table:
    users, codes, versions = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "user": pa.array(users, pa.string()),
            "code": pa.array(codes, pa.int32()),
            "version": pa.array(versions, pa.int64()),
        }
    )


def codes_of(rows: pa.Table) -> npt.NDArray[np.int32]:
    return rows["code"].to_numpy().astype(np.int32)


def build(
    tables: Held,
    path: Path,
    spills: Spills | None = None,
    dataset: Dataset = PROFILES,
) -> Built:
    source: Any = TableSource(tables)
    return DirectoryBuilder(
        dataset=dataset,
        sources={SiteName("us-east"): source},
        contest=NoContest(),
        digester=DIGESTER,
        regions=REGIONS,
        route=codes_of,
        spills=spills or MemorySpills(),
        shelf=DirectoryFileShelf(path),
    ).build(piece(number) for number in range(len(tables)))


def opened(path: Path, digest: str, regions: Iterable[RegionName] = REGIONS) -> DirectoryFile:
    return DirectoryFile(path, DIGESTER, tuple(regions), digest)


def expected(rows: list[Row], *, dated: bool) -> dict[str, int]:
    """Resolve each user naively; -2 is unknown."""
    found = {}
    for user in {row[0] for row in rows if row[0]}:
        mine = [(version, max(code, -2)) for name, code, version in rows if name == user]
        codes = {code for _, code in mine}
        if len(codes) > 1 and dated and all(version is not None for version, _ in mine):
            newest = max(version or 0 for version, _ in mine)
            codes = {code for version, code in mine if version == newest}
        found[user] = codes.pop() if len(codes) == 1 else -3
    return found


users = st.sampled_from([None, "", "ada", "bob", "eve", "joe"])
rows_of = st.lists(
    st.tuples(users, st.integers(-5, 2), st.sampled_from([None, -1, 0, 0, 7])), max_size=12
)


@settings(max_examples=100, deadline=None)
@given(rows=rows_of, seed=st.integers(0, 9), dated=st.booleans())
def test_every_user_has_the_region_that_their_rows_agree_on(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int, dated: bool
) -> None:
    folder = tmp_path_factory.mktemp("directory")
    dataset = PROFILES if dated else UNDATED
    built = build([[table(rows)]], folder / "one", dataset=dataset)
    shuffled = Random(seed).sample(rows, len(rows))
    cut = len(rows) // 3
    pieces: Held = [[table(shuffled[:cut]), table(shuffled[cut:])], [table([])]]
    again = build(pieces, folder / "two", DiskSpills(folder / "spills"), dataset)
    assert built == again
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    naive = expected(rows, dated=dated)
    kept = {user for user, code in naive.items() if code != -2}
    empty = {user for user, code, _ in rows if user == "" and code >= -1}
    assert len(kept) <= built.users <= len(kept) + len(empty)
    assert built.rows == sum(user is not None for user, _, _ in rows)
    asked = ["joe", None, "ada", "stranger", "", "eve", "bob", "ada"]
    found = opened(folder / "one", built.digest).lookup(pa.array(asked)).tolist()
    assert found == MemoryRegions(naive).lookup(pa.array(asked)).tolist()
    assert found == [naive.get(user or "", -2) for user in asked]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("ada", 0, 1), ("ada", 0, 2)], 0),
        ([("ada", 0, 1), ("ada", 1, 2)], 1),
        ([("ada", 0, 2), ("ada", 1, 2)], -3),
        ([("ada", 0, 1), ("ada", 1, 2), ("ada", 2, 2)], -3),
        ([("ada", 0, None), ("ada", 1, 2)], -3),
        ([("ada", 0, None), ("ada", 0, 2)], 0),
        ([("ada", 0, 1), ("ada", -1, 2)], -1),
        ([("ada", 0, 1), ("ada", -4, 2)], -2),
        ([("ada", -4, 1), ("ada", 0, 2)], 0),
    ],
)
def test_rows_that_disagree_are_settled_by_the_newest_or_not_at_all(
    tmp_path: Path, rows: list[Row], code: int
) -> None:
    digest = build([[table(rows)]], tmp_path / "d").digest
    assert opened(tmp_path / "d", digest).lookup(pa.array(["ada"])).tolist() == [code]


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "users.directory"
    return path, build([[table([("ada", 2, 1), ("bob", -1, 1), ("eve", 0, 1)])]], path).digest


def test_another_order_of_the_atlas_is_followed(built: tuple[Path, str]) -> None:
    path, digest = built
    found = opened(path, digest, reversed(REGIONS)).lookup(pa.array(["ada", "bob", "eve"]))
    assert found.tolist() == [0, -1, 2]


def test_an_atlas_with_other_regions_is_refused(built: tuple[Path, str]) -> None:
    for regions in (REGIONS[:2], (*REGIONS, RegionName("NO")), (*REGIONS[:2], RegionName("NO"))):
        with pytest.raises(PlanRefused, match="other regions"):
            opened(*built, regions)


def test_another_key_another_digest_and_an_absent_file_are_refused(
    built: tuple[Path, str],
) -> None:
    path, digest = built
    with pytest.raises(PlanRefused, match="another key"):
        DirectoryFile(path, Digester(b"another key 1234"), REGIONS, digest)
    with pytest.raises(PlanRefused, match="planned with"):
        opened(path, "0" * 64)
    with pytest.raises(PlanRefused, match="not there"):
        opened(path.with_name("absent"), digest)


def test_any_flipped_byte_and_any_cut_is_noticed(built: tuple[Path, str]) -> None:
    path, digest = built
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((Damaged, PlanRefused)):
            opened(path, digest)
    for stop in (*range(0, len(whole), 7), len(whole) - 1):
        path.write_bytes(whole[:stop])
        with pytest.raises(Damaged):
            opened(path, digest)
    path.write_bytes(whole + bytes(64))
    with pytest.raises(Damaged):
        opened(path, digest)
    path.write_bytes(whole)
    assert len(opened(path, digest)) == 3


def test_users_that_share_half_a_digest_are_told_apart(tmp_path: Path) -> None:
    digests = DIGESTER.values([pa.array(["ada", "bob"])], [ColumnType.STRING])
    (high, low), (other_high, other_low) = digests.pairs.tolist()
    near = [0, low - 1, low, low + 1]
    block = DirectoryBlock(
        high=np.array([high] * 4, dtype=np.uint64),
        low=np.array(near, dtype=np.uint64),
        codes=np.array([0, 0, 2, 0], dtype=np.int16),
    )
    head = DirectoryHead(regions=REGIONS, user=ColumnType.STRING, check=DIGESTER.check)
    digest = DirectoryFileShelf(tmp_path / "d").write(head, [block])
    found = opened(tmp_path / "d", digest).lookup(pa.array(["ada", "bob"]))
    assert found.tolist() == [2, -2]
    assert (other_high, other_low) != (high, low)


def test_the_file_names_no_user_and_is_private(built: tuple[Path, str]) -> None:
    path, _ = built
    assert b"ada" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_code_outside_of_its_regions_is_noticed(tmp_path: Path) -> None:
    facts = {"check": DIGESTER.check, "regions": list(REGIONS), "user": "string"}
    one = np.array([1], dtype=np.uint64)
    block: dict[str, npt.NDArray[Any]] = {
        "high": one,
        "low": one,
        "code": np.array([3], dtype=np.int16),
    }
    digest = write(tmp_path / "d", MAGIC, LAYOUT, facts, [block])
    with pytest.raises(Damaged, match="outside"):
        opened(tmp_path / "d", digest)


def test_a_spoilt_slice_is_named_and_the_rest_is_built(tmp_path: Path) -> None:
    tables: Held = [
        [table([("ada", 2, 1)]), BadObject("torn")],
        [table([("bob", 0, 1)])],
    ]
    result = build(tables, tmp_path / "d")
    assert result.failed == ((piece(0).id, "torn"),)
    assert opened(tmp_path / "d", result.digest).lookup(pa.array(["bob"])).tolist() == [0]


def test_a_failure_leaves_neither_spill_nor_file_and_the_old_file_stands(
    built: tuple[Path, str],
) -> None:
    path, digest = built
    spills = path.with_name("spills")
    tables: Held = [[table([("joe", 1, 1)] * 9), Transient("away")]]
    with pytest.raises(Transient):
        build(tables, path, DiskSpills(spills))
    assert list(spills.iterdir()) == []
    assert {found.name for found in path.parent.iterdir()} == {"spills", path.name}
    assert len(opened(path, digest)) == 3


def test_a_version_that_is_text_is_refused(tmp_path: Path) -> None:
    dataset = Dataset(
        name=DatasetName("profiles"),
        prefix="profiles/",
        format=Format.PARQUET,
        identity=(Column("user"),),
        user=Column("user"),
        residency=ByCountry("code"),
        version=Column("version"),
    )
    with pytest.raises(ConfigRefused, match="never text"):
        build([[table([("ada", 1, 1)])]], tmp_path / "d", dataset=dataset)


def test_a_disk_that_refuses_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DiskRefused):
        build([[table([("ada", 1, 1)])]], tmp_path / "d", DiskSpills(tmp_path / "file"))
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(DiskRefused, match="our own"):
        build([[table([("ada", 1, 1)])]], tmp_path / "d", DiskSpills(tmp_path / "link"))


def test_spilled_rows_come_back_by_partition_in_order_and_vanish(tmp_path: Path) -> None:
    row = np.dtype([("n", "<u8"), ("flag", "?")])
    rows = np.zeros(1_000_000, dtype=row)  # More than is kept in memory.
    rows["n"] = np.arange(len(rows))
    parts = (rows["n"] % 251).astype(np.uint8)
    for spills in (MemorySpills(), DiskSpills(tmp_path / "s")):
        with spills.open(row) as spill:
            for start in range(0, len(rows), 250_000):
                spill.append(rows[start : start + 250_000], parts[start : start + 250_000])
            assert np.array_equal(spill.read(7), rows[7::251])
            spill.append(rows[:1], np.array([7], dtype=np.uint8))
            assert spill.read(7)["n"].tolist() == [*range(7, len(rows), 251), 0]
            assert len(spill.read(255)) == 0
    assert list((tmp_path / "s").iterdir()) == []
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700
