"""Sites: places that hold data, the law of the ground that they stand on, and their phase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from repatria.names import RegionName, SiteName


class Role(StrEnum):
    """What a site is for."""

    PRIMARY = "legacy-primary"  #: Records leave from here.
    BACKUP = "legacy-backup"  #: A copy of the primary, perhaps stale.
    ENCLAVE = "enclave"  #: European data lives here.


class SitePhase(StrEnum):
    """How far a site has come. Only an open site takes live data."""

    PLANNED = "planned"
    TESTING = "testing"
    OPEN = "open"
    DRAINING = "draining"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place that holds data.

    ``jurisdiction`` is an ISO 3166-1 alpha-2 code; ``location`` is the region name that the
    store itself must report; ``capacity_bytes`` is None where nobody stated a limit.
    """

    name: SiteName
    role: Role
    jurisdiction: str
    phase: SitePhase
    location: str
    opens: date | None = None
    capacity_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A population that cuts over as one: its countries, its home, and perhaps a standby."""

    name: RegionName
    countries: frozenset[str]
    home: SiteName
    standby: SiteName | None = None
