"""Prices: what a site charges. They feed estimates and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from repatria.names import SiteName


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What one site charges, in the currency of ``Prices``. A gigabyte is 10⁹ bytes."""

    egress_per_gb: float = 0.0  #: Bytes that leave the site.
    put_per_1000: float = 0.0
    get_per_1000: float = 0.0
    list_per_1000: float = 0.0
    storage_per_gb_month: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Tariffs by site. A site without one has no known price, which is not a price of nothing."""

    currency: str = "EUR"
    tariffs: Mapping[SiteName, Tariff] = field(default_factory=dict)
