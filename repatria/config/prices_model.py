"""Prices, as the configuration writes them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from repatria.config.strict_model import SiteText, Strict
from repatria.names import SiteName
from repatria.prices import Prices, Tariff

Price = Annotated[float, Field(ge=0, le=1_000_000)]


class TariffModel(Strict):
    """What one site charges. A gigabyte is 10⁹ bytes."""

    egress_per_gb: Price = 0.0
    """For a gigabyte that leaves the site."""

    put_per_1000: Price = 0.0
    """For a thousand writes."""

    get_per_1000: Price = 0.0
    """For a thousand reads."""

    list_per_1000: Price = 0.0
    """For a thousand pages of a listing."""

    storage_per_gb_month: Price = 0.0
    """For a gigabyte stored for a month."""


class PricesModel(Strict):
    """What sites charge. Prices feed estimates and nothing else."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "EUR"
    """ISO 4217."""

    sites: dict[SiteText, TariffModel] = Field(default_factory=dict)
    """Tariffs by site; a site without one has no known price."""

    def noun(self) -> Prices:
        """Return the noun of this model."""
        tariffs = {
            SiteName(name): Tariff(**self.sites[name].model_dump()) for name in sorted(self.sites)
        }
        return Prices(currency=self.currency, tariffs=tariffs)
