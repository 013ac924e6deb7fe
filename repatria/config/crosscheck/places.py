"""Sites and stores: one primary, places that do not overlap, and the law of the ground."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from repatria.config.aws import REGION_COUNTRY, is_aws, names_region
from repatria.config.endpoint import same_machine
from repatria.config.problem import Problem, shown
from repatria.config.reading import Reading
from repatria.config.site_model import SiteModel
from repatria.config.store_model import StoreModel
from repatria.site import Role


def roles(reading: Reading) -> Iterator[Problem]:
    """Exactly one legacy primary, at most one backup."""
    primaries, backups = (
        sorted(name for name, site in reading.model.sites.items() if site.role is role)
        for role in (Role.PRIMARY, Role.BACKUP)
    )
    complete = reading.sites == set(reading.model.sites)
    if complete and reading.sites and not primaries:
        yield Problem(("sites",), "expected one site with role: legacy-primary; there is none")
    for name in primaries[1:]:
        yield Problem(
            ("sites", name, "role"), f"expected one legacy-primary; {primaries[0]} is one too"
        )
    for name in backups[1:]:
        yield Problem(
            ("sites", name, "role"), f"expected one legacy-backup at most; {backups[0]} is one too"
        )


def jurisdictions(reading: Reading) -> Iterator[Problem]:
    """Enclave sites and our own state stand where the enclave may be."""
    if reading.regions is None:
        return
    allowed = reading.regions.enclave_jurisdictions
    said = f"expected one of regions.enclave_jurisdictions: {', '.join(sorted(allowed))}"
    for name, site in sorted(reading.model.sites.items()):
        if site.role is Role.ENCLAVE and site.jurisdiction not in allowed:
            yield Problem(("sites", name, "jurisdiction"), said, shown(site.jurisdiction))
    if reading.model.state and reading.model.state.jurisdiction not in allowed:
        yield Problem(("state", "jurisdiction"), said, shown(reading.model.state.jurisdiction))


def locations(reading: Reading) -> Iterator[Problem]:
    """Let a region of AWS lie in the country that its site claims."""
    for name, site in sorted(reading.model.sites.items()):
        store = site.store
        if not is_aws(store.endpoint):
            continue
        path = ("sites", name, "store", "region")
        country = REGION_COUNTRY.get(store.region)
        if country is None:
            says = "expected a known region of AWS, or the endpoint of another store"
            yield Problem(path, says, shown(store.region))
        elif country != site.jurisdiction:
            says = f"lies in {country}, and the site's jurisdiction is {site.jurisdiction}"
            yield Problem(path, says, shown(store.region))
        if not names_region(store.endpoint, store.region):
            says = f"expected AWS's endpoint of {store.region}, or no endpoint at all"
            yield Problem((*path[:-1], "endpoint"), says, shown(store.endpoint))


def overlaps(reading: Reading) -> Iterator[Problem]:
    """No two sites share a place: a source never is a target, nor a standby its home."""
    for (one, here), (other, there) in combinations(sorted(reading.model.sites.items()), 2):
        if _place(here) == _place(there) and nested(here.store.prefix, there.store.prefix):
            says = f"is the place of {one} too: expected another bucket, or prefixes apart"
            yield Problem(("sites", other, "store"), says)


def nested(one: str, other: str) -> bool:
    """Say whether one prefix holds the other."""
    return one.startswith(other) or other.startswith(one)


def _place(site: SiteModel) -> tuple[str, str]:
    store: StoreModel = site.store
    if store.endpoint is None or is_aws(store.endpoint):
        return "aws", store.bucket  # Names of buckets are unique in all of AWS.
    return same_machine(store.endpoint), store.bucket
