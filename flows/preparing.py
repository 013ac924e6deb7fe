"""What comes before a move: making the state folder and the ledger, examining, planning."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from connectors.disk import translated
from flows.promises import forget
from flows.wiring import House
from flows.workbench import build_directory, directory, reconcile
from repatria.config.loaded import KeyVariable
from repatria.dataset import Dataset
from repatria.doctor import CAPACITY_LOW, Patient, examine_site
from repatria.errors import ConfigRefused, RepatriaError
from repatria.estimate import Estimator, frozen_away, not_read, warnings
from repatria.finding import Finding, Grade
from repatria.names import DatasetName, RegionName, SiteName
from repatria.native.library import NATIVE
from repatria.plan import Plan
from repatria.planner import Planner, Sample, Workshop
from repatria.planning import Frame


def init(house: House) -> Sequence[str]:
    """Make what is missing: the state folder, the secret key, the ledger. Repeating is harmless."""
    told = []
    if not house.state.exists():
        told.append("made the state folder")
    with translated("state folder"):
        for folder in ("", "directories", "contests", "reports", "rehearsals"):
            (house.state / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    reference = house.config.keys
    if not isinstance(reference, KeyVariable) and not reference.file.exists():
        house.create_key(reference.file)
        told.append("made a new secret key: keep a copy of it apart from the ledger")
    house.ledger(create=True)
    told.append("the ledger is ready")
    return told


def examine(house: House, *, probing: bool) -> list[Finding]:
    """Look at this machine and at every site; never stops at the first trouble."""
    found = list(_machine(house))
    if probing:
        forget(house)
    for name, site in house.config.sites.items():
        try:
            bucket = house.bucket(name, live=probing)
        except RepatriaError as error:
            found.append(Finding(f"{name}: credentials", Grade.ILL, str(error), error.hint))
            continue
        patient = Patient(
            site=site,
            bucket=bucket,
            prefix=house.config.stores[name].prefix,
            skew_s_max=house.config.limits.clock_skew_s,
            put_bytes_max=house.config.limits.batch_bytes_hard,
        )
        datasets = tuple(house.config.datasets.values())
        found.extend(examine_site(patient, datasets, probing=probing))
    return found


def _machine(house: House) -> Iterator[Finding]:
    try:
        ledger = house.ledger(read_only=True)
        looked = ledger.examined()
    except RepatriaError as error:
        yield Finding("ledger", Grade.ILL, str(error), error.hint)
    else:
        yield Finding("ledger", Grade.WELL, "opens, at the schema of this version")
        yield from looked
    try:
        house.keys.key("doctor")
    except RepatriaError as error:
        yield Finding("secret key", Grade.ILL, str(error), error.hint)
    else:
        yield Finding("secret key", Grade.WELL, "is there")
    yield compiled(NATIVE)
    if not house.state.exists():
        yield Finding("disk", Grade.ILL, "the state folder is missing", "run `repatria init`")
        return
    free = shutil.disk_usage(house.state).free
    grade = Grade.WELL if free >= CAPACITY_LOW else Grade.CARE
    yield Finding("disk", grade, f"{free / 1e9:.1f} GB free in the state folder")


def compiled(library: object | None) -> Finding:
    """Say whether the compiled library is used; without it everything works, more slowly."""
    if library is not None:
        return Finding("compiled library", Grade.WELL, "is there")
    means = "digests take five times as long; install a C compiler and run `make setup` again"
    return Finding("compiled library", Grade.NOTE, "is not there: NumPy does its work", means)


def make_plan(house: House, datasets: Sequence[str], regions: Sequence[str]) -> Plan:
    """Plan the move of ``datasets`` (default: all) for ``regions`` (default: all)."""
    unknown(house, datasets, regions)
    planner = Planner(
        datasets=house.config.datasets,
        sources=house.sources,
        plans=house.ledger(),
        limits=house.config.limits,
        clock=house.clock,
        workshop=Workshop(
            directory=partial(build_directory, house),
            reconcile=partial(reconcile, house),
            estimate=lambda samples, frame: estimate(house, samples, frame),
            spool=house.spool,
        ),
    )
    with _undisturbed():
        return planner.plan(
            [name for name in house.config.datasets if not datasets or name in datasets],
            [name for name in house.atlas.names if not regions or name in regions],
            (house.config.digest, house.config.canonical),
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the collector from searching, for each thousand objects, all that was ever imported.

    A third of the time of a large plan would go there (docs/scale.md).
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def unknown(house: House, datasets: Sequence[str], regions: Sequence[str]) -> None:
    """Raise ``ConfigRefused`` for names that the configuration does not have."""
    _known("dataset", datasets, house.config.datasets)
    _known("region", regions, house.atlas.names)


def _known(
    kind: str, asked: Sequence[str], held: Sequence[str] | Mapping[DatasetName, Dataset]
) -> None:
    if missing := sorted(set(asked) - set(held)):
        raise ConfigRefused(f"the configuration has no {kind} {', '.join(missing)}")


def estimate(
    house: House, samples: Mapping[DatasetName, Sample], frame: Frame
) -> Mapping[str, object]:
    """Read the samples and say what the move will take, and what stands against it."""
    regions = [region for region in house.atlas.regions if region.name in frame.regions]
    estimator = Estimator(
        regions=regions,
        sites=house.config.sites,
        prices=house.config.prices,
        workers=house.workers,
        clock=house.clock,
    )
    told: dict[str, dict[str, object]] = {}
    for name, sample in samples.items():
        users = directory(house, sample.dataset, frame.directories)
        told[name] = estimator.dataset(
            sample, house.sources.by_site, house.resolver(sample.dataset, users)
        )
    coming = _coming(house, told)
    unread = [line for name, it in samples.items() for line in not_read(it, told[name])]
    away = [line for sample in samples.values() for line in frozen_away(sample)]
    let_be = [
        f"{label} is poison: whatever decodes it ends, so that nothing is known of it"
        for label in dict.fromkeys(house.part.witness.passed_over)
    ]
    against = [*warnings(regions, house.config.sites, coming), *unread, *away, *let_be]
    return {"datasets": told, "warnings": against}


def _coming(house: House, told: Mapping[str, Mapping[str, object]]) -> dict[SiteName, int]:
    """Share the bytes that will move among the homes of the regions that they move to."""
    coming: dict[SiteName, int] = {}
    homes = {region.name: region.home for region in house.atlas.regions}
    for facts in told.values():
        rows = facts["regions"]
        assert isinstance(rows, Mapping), "regions are counted by name"
        total = sum(rows.values()) or 1
        for region, count in rows.items():
            home = homes[RegionName(region)]
            share = int(str(facts["moving_bytes"])) * count // total
            coming[home] = coming.get(home, 0) + share
    return coming
