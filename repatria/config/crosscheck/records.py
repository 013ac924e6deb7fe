"""Datasets and what else names sites: prefixes apart, directories that resolve, prices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from repatria.config.crosscheck.places import nested
from repatria.config.dataset_model import CountryColumnModel, DatasetModel
from repatria.config.problem import Problem, shown
from repatria.config.reading import Reading


def prefixes(reading: Reading) -> Iterator[Problem]:
    """No object belongs to two datasets."""
    for (one, here), (other, there) in combinations(sorted(reading.model.datasets.items()), 2):
        if nested(here.prefix, there.prefix):
            says = f"expected a prefix apart from that of {one}, {shown(here.prefix)}"
            yield Problem(("datasets", other, "prefix"), says, shown(there.prefix))


def directories(reading: Reading) -> Iterator[Problem]:
    """Let a directory be built from a dataset that has a country itself: so there is no circle."""
    for name, dataset in sorted(reading.model.datasets.items()):
        if isinstance(dataset.residency, CountryColumnModel):
            continue
        path = ("datasets", name, "residency", "directory")
        of = dataset.residency.directory
        if of not in reading.datasets:
            known = ", ".join(sorted(reading.datasets))
            yield Problem(path, f"expected a dataset that is declared: {known}", shown(of))
        elif of in reading.model.datasets:
            says = _unfit(dataset, reading.model.datasets[of])
            if says:
                yield Problem(path, says, shown(of))


def prices(reading: Reading) -> Iterator[Problem]:
    """Let a tariff be that of a site."""
    for name in sorted(set(reading.model.prices.sites) - reading.sites):
        yield Problem(("prices", "sites", name), "expected a site that is declared")


def _unfit(dataset: DatasetModel, of: DatasetModel) -> str:
    if not isinstance(of.residency, CountryColumnModel):
        return "expected a dataset whose own residency is a column"
    if of.user.type is not dataset.user.type:
        return f"expected users of type {dataset.user.type}, as here; there they are {of.user.type}"
    return ""
