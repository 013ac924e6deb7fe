"""Regions: every country in one at most, and homes and standbys that may be that."""

from __future__ import annotations

from collections.abc import Iterator

from repatria.config.problem import Path, Problem, shown
from repatria.config.reading import Reading
from repatria.config.region_model import DEFAULT, Draft, RegionsModel, drafts, ready_made
from repatria.site import Role


def existence(reading: Reading) -> Iterator[Problem]:
    """There is a region, and ``without`` takes away only what a set brought."""
    regions = reading.regions
    if regions is None:
        return
    named = ready_made(regions.model_copy(update={"without": (), "groups": {}}))
    if "regions" in reading.sections and not any(drafts(regions)):
        yield Problem(("regions",), "expected a region: say ready_made, groups or both")
    for index, country in enumerate(regions.without):
        if country not in named:
            yield Problem(
                ("regions", "without", index), "expected a country of ready_made", shown(country)
            )


def countries(reading: Reading) -> Iterator[Problem]:
    """No country stands in two regions, nor twice in one."""
    regions = reading.regions
    if regions is None:
        return
    owner = {country: country for country in ready_made(regions)}
    for name, group in sorted(regions.groups.items()):
        for index, country in enumerate(group.countries):
            if country in owner:
                says = f"is in region {owner[country]} already; add it to regions.without"
                path = ("regions", "groups", name, "countries", index)
                yield Problem(path, says, shown(country))
            owner.setdefault(country, name)


def names(reading: Reading) -> Iterator[Problem]:
    """``home`` and ``standby`` name regions that exist, each in one way."""
    regions = reading.regions
    if regions is None:
        return
    groups = regions.groups
    known = ready_made(regions) | set(groups) | {DEFAULT}
    for part in ("home", "standby"):
        for name in sorted(getattr(regions, part)):
            path = ("regions", part, name)
            if name not in known:
                yield Problem(path, "expected the name of a region, or default")
            elif name in groups and getattr(groups[name], part) is not None:
                yield Problem(path, f"is said in regions.groups.{name} too; say it once")


def homes(reading: Reading) -> Iterator[Problem]:
    """Every region has a home, a site of the enclave."""
    if reading.regions is None:
        return
    homeless = [draft.name for draft in drafts(reading.regions) if draft.home is None]
    if homeless:
        says = f"no home for {', '.join(homeless)}: name it here, or say a default"
        yield Problem(("regions", "home"), says)
    for draft in drafts(reading.regions):
        if draft.home is not None:
            yield from _site(reading, draft.home, _said_at(reading.regions, draft, "home"))


def standbys(reading: Reading) -> Iterator[Problem]:
    """Let a standby be another site of the enclave than the home."""
    if reading.regions is None:
        return
    at_home: dict[Path, list[str]] = {}
    for draft in drafts(reading.regions):
        path = _said_at(reading.regions, draft, "standby")
        if draft.standby is not None and draft.standby == draft.home:
            at_home.setdefault(path, []).append(draft.name)
        elif draft.standby is not None:
            yield from _site(reading, draft.standby, path)
    for path, names_at_home in at_home.items():
        says = f"is the home of {', '.join(names_at_home)}: expected another site, or null"
        yield Problem(path, says)


def _site(reading: Reading, name: str, path: Path) -> Iterator[Problem]:
    site = reading.model.sites.get(name)
    if name not in reading.sites:
        known = ", ".join(sorted(reading.sites)) or "none is declared"
        yield Problem(path, f"expected a site that is declared: {known}", shown(name))
    elif site is not None and site.role is not Role.ENCLAVE:
        yield Problem(path, "expected a site with role: enclave", shown(name))


def _said_at(regions: RegionsModel, draft: Draft, part: str) -> Path:
    group = regions.groups.get(draft.name)
    if group is not None and getattr(group, part) is not None:
        return ("regions", "groups", draft.name, part)
    named = draft.name if draft.name in getattr(regions, part) else DEFAULT
    return ("regions", part, named)
