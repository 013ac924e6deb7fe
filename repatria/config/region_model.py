"""Regions, as the configuration writes them: ready-made sets, and groups of one's own.

A ready-made set makes a region of each of its countries. A group is one region of several
countries; a group with the name of a ready-made country takes its place, so that ``FR`` can
have its overseas departments. Any other country in two regions is refused (``crosscheck``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from repatria.config.strict_model import Country, RegionText, SiteText, Strict
from repatria.countries import COUNTRIES, EEA, PERMITTED, READY_MADE
from repatria.names import RegionName, SiteName
from repatria.site import Region

DEFAULT = "default"


def _permitted(code: str) -> str:
    if code not in PERMITTED:
        raise ValueError("expected a jurisdiction of the EU-27, IS, LI, NO, GB or CH")
    return code


def _no_country(alias: str) -> str:
    if alias in COUNTRIES:
        raise ValueError("expected what is no country itself; put it into a group instead")
    return alias


Permitted = Annotated[Country, AfterValidator(_permitted)]
Alias = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$"), AfterValidator(_no_country)
]
RegionOrDefault = Annotated[str, StringConstraints(pattern=r"^(default|[A-Z][A-Z0-9-]{1,15})$")]


class GroupModel(Strict):
    """A region of one's own: countries that cut over as one."""

    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=249)]
    """Its countries."""

    home: SiteText | None = None
    """Its home; without one what `home` of all regions says."""

    standby: SiteText | None = None
    """Its standby; without one what `standby` of all regions says."""


class RegionsModel(Strict):
    """The populations that cut over, each with its home."""

    ready_made: tuple[Literal["EU27", "IS", "LI", "NO", "GB", "CH"], ...] = ()
    """Sets of countries; each country in them becomes a region of its own."""

    without: tuple[Country, ...] = ()
    """Countries of those sets that shall not be regions of their own."""

    groups: dict[RegionText, GroupModel] = Field(default_factory=dict)
    """Regions of one's own, by name. One named as a ready-made country takes its place."""

    home: dict[RegionOrDefault, SiteText] = Field(default_factory=dict)
    """Home site by region; `default` for every region that is not named."""

    standby: dict[RegionOrDefault, SiteText | None] = Field(default_factory=dict)
    """Standby site by region; `default` for every other, `null` for none."""

    country_aliases: dict[Alias, Country] = Field(default_factory=dict)
    """What stands for a country in the records though it is no code: `UK: GB`, `EL: GR`."""

    enclave_jurisdictions: Annotated[tuple[Permitted, ...], Field(min_length=1)] = tuple(
        sorted(EEA)
    )
    """Where enclave sites and our own state may stand: at most the EU-27, IS, LI, NO, GB, CH."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A region before anybody has checked that its sites exist."""

    name: str
    countries: tuple[str, ...]
    home: str | None
    standby: str | None

    def noun(self) -> Region:
        """Return the noun of this draft, which has a home."""
        assert self.home is not None, "crosscheck refuses a region without a home"
        return Region(
            name=RegionName(self.name),
            countries=frozenset(self.countries),
            home=SiteName(self.home),
            standby=SiteName(self.standby) if self.standby is not None else None,
        )


def ready_made(model: RegionsModel) -> frozenset[str]:
    """Return the countries of the ready-made sets that are regions of their own."""
    named = {country for name in model.ready_made for country in READY_MADE[name]}
    return frozenset(named - set(model.without) - set(model.groups))


def drafts(model: RegionsModel) -> Iterator[Draft]:
    """Yield every region that the configuration makes, in order of names."""
    for name in sorted(ready_made(model) | set(model.groups)):
        group = model.groups.get(name)
        home = group.home if group else None
        standby = group.standby if group else None
        yield Draft(
            name=name,
            countries=tuple(sorted(group.countries)) if group else (name,),
            home=home if home is not None else _of(model.home, name),
            standby=standby if standby is not None else _of(model.standby, name),
        )


def _of(sites: Mapping[str, str | None], name: str) -> str | None:
    return sites[name] if name in sites else sites.get(DEFAULT)
