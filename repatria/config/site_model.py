"""Sites, as the configuration writes them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from repatria.config.size import Bytes
from repatria.config.store_model import StoreModel
from repatria.config.strict_model import Country, Strict
from repatria.names import SiteName
from repatria.site import Role, Site, SitePhase


class SiteModel(Strict):
    """One place that holds data, and the store in it."""

    role: Role
    """What the site is for: where records leave from, a copy of that, or where they live."""

    jurisdiction: Country
    """The country whose law holds there. An AWS region's country must be the same."""

    phase: SitePhase
    """How far the site has come. Only an open one takes live data."""

    opens: date | None = None
    """The day from which an open site takes live data, as YYYY-MM-DD."""

    capacity: Annotated[int, Bytes()] | None = None
    """Bytes that the site can hold; a plan that needs more is refused. Nothing: no limit stated."""

    store: StoreModel
    """Where the site keeps its objects."""

    def noun(self, name: str) -> Site:
        """Return the noun of this model."""
        return Site(
            name=SiteName(name),
            role=self.role,
            jurisdiction=self.jurisdiction,
            phase=self.phase,
            location=self.store.region,
            opens=self.opens,
            capacity_bytes=self.capacity,
        )
