"""The configuration as engines see it: nouns, and the digest that names all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from repatria.dataset import Dataset
from repatria.limits import Limits
from repatria.names import DatasetName, SiteName
from repatria.prices import Prices
from repatria.site import Region, Role, Site
from repatria.store import Store


@dataclass(frozen=True, slots=True)
class State:
    """The folder in which Repatria keeps what it remembers, and the law of that disk."""

    folder: Path
    jurisdiction: str


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The secret key, in a file."""

    file: Path


@dataclass(frozen=True, slots=True)
class KeyVariable:
    """The secret key, in a variable of the environment."""

    variable: str


KeysRef = KeyFile | KeyVariable
"""Where the secret key is; never the key."""


class RunnerKind(StrEnum):
    """Where stripes are worked through."""

    PROCESSES = "processes"
    THREADS = "threads"
    DASK = "dask"


@dataclass(frozen=True, slots=True)
class Runner:
    """Where stripes are worked through; ``address`` is that of a Dask scheduler that stands."""

    kind: RunnerKind = RunnerKind.PROCESSES
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that was loaded. Mappings and tuples stand in order of names.

    ``canonical`` is JSON of all of it but the runner, with paths as they were written, and
    ``digest`` the SHA-256 of that, in hexadecimal: the same whatever the files, their order and
    comments. Any runner may go on with a plan, as long as its digest is the same.
    """

    sites: Mapping[SiteName, Site]
    stores: Mapping[SiteName, Store]
    regions: tuple[Region, ...]
    datasets: Mapping[DatasetName, Dataset]
    limits: Limits
    prices: Prices
    ledger: str
    state: State
    keys: KeysRef
    country_aliases: Mapping[str, str]
    enclave_jurisdictions: frozenset[str]
    runner: Runner = Runner()
    canonical: str = field(default="", repr=False)
    digest: str = ""

    @property
    def primary(self) -> SiteName:
        """The one site that records leave from."""
        return next(name for name, site in self.sites.items() if site.role is Role.PRIMARY)

    @property
    def backup(self) -> SiteName | None:
        """The site of the legacy backup, where there is one."""
        found = (name for name, site in self.sites.items() if site.role is Role.BACKUP)
        return next(found, None)
