"""A directory is made anew when the verdicts that it rests on change, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from connectors.contest_file import ContestFileShelf
from connectors.directory_file import DirectoryFile
from flows.workbench import build_directory
from repatria.contest import Standing
from repatria.digest import Digester
from repatria.errors import BadObject
from repatria.limits import Limits
from repatria.names import RegionName
from repatria.ports.spill import Heard, VerdictBlock
from repatria.residency import Resolver
from repatria.slice import Slice
from tests.people import ATLAS, PROFILES, batch_of, piece, profiles

KEY = b"directory key 16"


class House:
    """What of a house building a directory needs, over one slice of the primary."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.atlas = ATLAS
        self.keys = SimpleNamespace(key=lambda _purpose: KEY)
        self.sources = SimpleNamespace(by_site={piece().site: self})
        self.config = SimpleNamespace(limits=Limits())
        self.reads = 0
        self.spoilt = False

    def batches(self, *_asked: object) -> Iterator[Any]:
        self.reads += 1
        if self.spoilt:
            raise BadObject("not a Parquet object")
        yield batch_of(profiles(["IE"], ["ada"]))

    def mapped(self, path: Path, open_: Any) -> Any:
        return open_(path)

    def resolver(self, dataset: Any, directory: Any) -> Resolver:
        return Resolver(dataset=dataset, atlas=self.atlas, directory=directory)

    def judged(self, standing: Standing) -> str:
        """Keep the verdict on the one row; return its digest."""
        rows = np.flatnonzero([standing != Standing.WINS]).astype(np.uint32)
        block = VerdictBlock(
            piece=np.array([[0, 1]], dtype=np.uint64),
            ordinal=np.array([0], dtype=np.uint32),
            rows=np.array([1], dtype=np.uint32),
            state=np.array([Heard.PRIMARY], dtype=np.uint8),
            verdicts=np.array([len(rows)], dtype=np.uint64),
            row=rows,
            code=np.full(len(rows), standing, dtype=np.uint8),
        )
        folder = self.state / "contests"
        folder.mkdir(exist_ok=True)
        digest = ContestFileShelf(folder / "new").write([block])
        (folder / "new").rename(folder / f"{PROFILES.name}-{digest[:32]}.contests")
        return digest

    def place(self, digest: str) -> int:
        """Return where the directory of that digest places the one user."""
        (path,) = (self.state / "directories").glob(f"*-{digest[:32]}.directories")
        found = DirectoryFile(path, Digester(KEY), ATLAS.names, digest)
        return int(found.lookup(pa.array(["ada"]))[0])


def slices() -> Iterator[Slice]:
    yield piece()


@pytest.fixture
def house(tmp_path: Path) -> Any:
    (tmp_path / "directories").mkdir()
    return House(tmp_path)


def test_other_verdicts_on_the_same_slices_make_another_directory(house: Any) -> None:
    places = []
    for standing in (Standing.WINS, Standing.SUPERSEDED, Standing.CONFLICT, Standing.ORPHAN):
        built = build_directory(house, PROFILES, slices, house.judged(standing))
        places.append(house.place(built))
    ireland = ATLAS.index(RegionName("IE"))
    assert places == [ireland, -2, ireland, -2]


@pytest.mark.parametrize("contested", [True, False])
def test_the_same_slices_and_verdicts_are_not_read_twice(house: Any, contested: bool) -> None:
    verdicts = house.judged(Standing.WINS) if contested else None
    first = build_directory(house, PROFILES, slices, verdicts)
    assert build_directory(house, PROFILES, slices, verdicts) == first
    assert house.reads == 1


def test_what_could_not_be_read_is_tried_again_at_the_same_version(house: Any) -> None:
    house.spoilt = True
    empty = build_directory(house, PROFILES, slices, None)
    house.spoilt = False
    restored = build_directory(house, PROFILES, slices, None)
    assert empty != restored
    assert house.place(restored) == ATLAS.index(RegionName("IE"))
