"""The five sites of the embedded world: where each one stands, and what it holds.

``folder`` of a world: ``world.json`` (what runs, on which port), ``lock`` (held while it runs),
``<site>.requests`` (one line per request), ``seeded.json`` (what a migration must end in),
``config/`` (the configuration that names these sites).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from repatria.names import SiteName
from repatria.site import Role

ENVIRONMENT: Final = "REPATRIA_DEMO"
"""Configuration says ``credentials: {environment: REPATRIA_DEMO}``; these are its variables."""

CREDENTIALS: Final = {
    f"{ENVIRONMENT}_ACCESS_KEY_ID": "embedded-world",
    f"{ENVIRONMENT}_SECRET_ACCESS_KEY": "not-a-secret",
}
"""The embedded servers take anybody; a client must say something all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSite:
    """One site: ``location`` is what its store reports, ``jurisdiction`` the law of its ground."""

    name: SiteName
    role: Role
    jurisdiction: str
    location: str
    bucket: str
    versioned: bool


PRIMARY: Final = WorldSite(
    name=SiteName("us-east"),
    role=Role.PRIMARY,
    jurisdiction="US",
    location="us-east-1",
    bucket="acme-users",
    versioned=True,
)

BACKUP: Final = WorldSite(
    name=SiteName("singapore"),
    role=Role.BACKUP,
    jurisdiction="SG",
    location="ap-southeast-1",
    bucket="acme-users-backup",
    versioned=False,
)


def _enclave(name: str, jurisdiction: str, location: str) -> WorldSite:
    return WorldSite(
        name=SiteName(name),
        role=Role.ENCLAVE,
        jurisdiction=jurisdiction,
        location=location,
        bucket=f"acme-eu-{name}",
        versioned=True,
    )


SITES: Final = (
    PRIMARY,
    BACKUP,
    _enclave("dublin-1", "IE", "eu-west-1"),
    _enclave("dublin-2", "IE", "eu-west-1"),
    _enclave("hamar", "NO", "no-hamar-1"),
)
