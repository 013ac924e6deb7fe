"""The configuration as engines see it: nouns, and the digest that names all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that was loaded. Mappings and tuples stand in order of names.

    ``canonical`` is JSON of all of it with paths as they were written, and ``digest`` the
    SHA-256 of that, in hexadecimal: the same whatever the files, their order and comments.
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
