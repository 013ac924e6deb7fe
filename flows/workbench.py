"""What a plan is made of besides slices: directories of users, and reconciliations, kept as files.

A file is named by its digest, which the plan remembers. Beside it stands a note that says from
which very slices (and a directory from which verdicts on them) it was made, so that planning again
without a change reads nothing again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from connectors.contest_file import ContestFile, ContestFileShelf
from connectors.directory_file import DirectoryFile, DirectoryFileShelf
from connectors.disk import sweep, translated, unfinished, write_whole
from connectors.memory.contest import NoContest
from connectors.spill import DiskSpills
from flows.wiring import House
from repatria.dataset import ByDirectory, Dataset
from repatria.digest import Digester
from repatria.directory import DirectoryBuilder
from repatria.errors import PlanRefused
from repatria.names import DatasetName
from repatria.planner import Pieces
from repatria.ports.rules import Contest, Regions
from repatria.reconcile import Reconciler
from repatria.slice import cut_text


class Made(NamedTuple):
    """A file that was made: its digest, and whether every slice could be read for it."""

    digest: str
    whole: bool


def directory(house: House, dataset: Dataset, digests: Mapping[DatasetName, str]) -> Regions | None:
    """Map the directory that ``dataset`` resolves through, if it does.

    Raises ``PlanRefused`` if the file of that digest is not on this machine.
    """
    need = dataset.residency
    if not isinstance(need, ByDirectory):
        return None
    digest = digests[need.of]
    path = _kept(house, "directories", need.of, digest)
    digester = Digester(house.keys.key("directory"))
    names = house.atlas.names
    return house.mapped(path, lambda file: DirectoryFile(file, digester, names, digest))


def contest(house: House, name: DatasetName, digest: str | None) -> Contest:
    """Map the verdicts of a reconciliation; where none was needed nothing is contested."""
    if digest is None:
        return NoContest()
    path = _kept(house, "contests", name, digest)
    return house.mapped(path, lambda file: ContestFile(file, digest))


def build_directory(
    house: House, dataset: Dataset, pieces: Pieces, contest_digest: str | None
) -> str:
    """Build the directory of ``dataset`` from what counts at both sites; return its digest."""

    def build(path: Path) -> Made:
        builder = DirectoryBuilder(
            dataset=dataset,
            sources=house.sources.by_site,
            contest=contest(house, dataset.name, contest_digest),
            digester=Digester(house.keys.key("directory")),
            regions=house.atlas.names,
            route=house.resolver(dataset, None).resolve,
            spills=DiskSpills(house.state / "spill"),
            shelf=DirectoryFileShelf(path),
        )
        built = builder.build(pieces())
        return Made(built.digest, whole=not built.failed)

    inputs = _inputs(house, dataset, pieces, contest_digest or "uncontested")
    return _made(house, "directories", dataset.name, inputs, build)


def reconcile(house: House, dataset: Dataset, pieces: Pieces) -> str:
    """Settle the contested slices of ``dataset``; return the digest of the verdicts."""
    backup = house.sources.backup
    assert backup is not None, "only a backup contests"

    def build(path: Path) -> Made:
        reconciler = Reconciler(
            dataset=dataset,
            primary=house.sources.primary,
            backup=backup,
            digester=Digester(house.keys.key("contest")),
            spills=DiskSpills(house.state / "spill"),
            shelf=ContestFileShelf(path),
        )
        settled = reconciler.reconcile(pieces)
        return Made(settled.digest, whole=not settled.failed)

    return _made(house, "contests", dataset.name, _inputs(house, dataset, pieces, ""), build)


def _inputs(house: House, dataset: Dataset, pieces: Pieces, verdicts: str) -> str:
    """Digest all that a file is made from: dataset, atlas, limits, verdicts, every slice."""
    told = f"{dataset} {house.atlas.digest} {house.config.limits} {verdicts}\n"
    inputs = hashlib.sha256(told.encode())
    for piece in pieces():
        inputs.update(f"{piece.id} {piece.version} {cut_text(piece.cut)}\n".encode())
    return inputs.hexdigest()


def _made(
    house: House, kind: str, name: DatasetName, inputs: str, build: Callable[[Path], Made]
) -> str:
    """Make a file, unless the very same inputs made a whole one before.

    Where a slice could not be read nothing is noted: it may be restored at the same version.
    """
    folder = house.state / kind
    note = folder / f"{name}-{inputs[:16]}.digest"
    if note.exists() and _path(house, kind, name, digest := note.read_text()).exists():
        return digest
    sweep(folder)
    fresh = folder / unfinished(name)
    made = build(fresh)
    with translated(kind):
        fresh.replace(_path(house, kind, name, made.digest))
    if made.whole:
        write_whole(note, made.digest)
    return made.digest


def _path(house: House, kind: str, name: DatasetName, digest: str) -> Path:
    return house.state / kind / f"{name}-{digest[:32]}.{kind}"


def _kept(house: House, kind: str, name: DatasetName, digest: str) -> Path:
    path = _path(house, kind, name, digest)
    if not path.exists():
        raise PlanRefused(f"what the plan made ({kind}) is not on this machine", dataset=name)
    return path
