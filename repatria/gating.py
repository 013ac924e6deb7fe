"""The house's own gate: which parcel may go where. Deny unless every rule is content.

It stands behind the ``Gate`` port, so that a policy engine can take its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from repatria.ports.rules import Passage
from repatria.site import Role, SitePhase

Rule = Callable[[Passage], str | None]


def leads_home(passage: Passage) -> str | None:
    """Refuse a site that is neither the region's home nor its standby."""
    allowed = {passage.region.home, passage.region.standby}
    if passage.destination.name in allowed:
        return None
    return f"{passage.destination.name} is neither home nor standby of {passage.region.name}"


def leaves_legacy(passage: Passage) -> str | None:
    """Refuse what does not lead from a legacy site into the enclave."""
    if passage.origin.role is Role.ENCLAVE:
        return f"{passage.origin.name} is not a legacy site"
    if passage.destination.role is not Role.ENCLAVE:
        return f"{passage.destination.name} is not in the enclave"
    return None


def stands_where_it_says(passage: Passage) -> str | None:
    """Refuse a store that does not itself report the location that is configured."""
    seen, wanted = passage.observed.location, passage.destination.location
    if seen is None:
        return f"{passage.destination.name} does not say where it is"
    if seen != wanted:
        return f"{passage.destination.name} should be in {wanted}, but its store says {seen}"
    return None


def keys_stay_near(passage: Passage) -> str | None:
    """Refuse a key at rest that lives elsewhere than the data."""
    key = passage.observed.key_region
    if key is not None and key != passage.destination.location:
        return f"{passage.destination.name} encrypts with a key that lives in {key}"
    return None


@dataclass(frozen=True, slots=True)
class InPhase:
    """The destination is in one of these phases; live data asks for ``open``."""

    phases: frozenset[SitePhase]

    def __call__(self, passage: Passage) -> str | None:
        if passage.destination.phase in self.phases:
            return None
        return f"{passage.destination.name} is {passage.destination.phase}, not open"


@dataclass(frozen=True, slots=True)
class UnderLaw:
    """The destination stands in a permitted jurisdiction."""

    jurisdictions: frozenset[str]

    def __call__(self, passage: Passage) -> str | None:
        if passage.destination.jurisdiction in self.jurisdictions:
            return None
        return f"{passage.destination.name} stands in {passage.destination.jurisdiction}"


@dataclass(frozen=True, slots=True)
class HouseGate:
    """Permits what every rule permits; no rules permit nothing."""

    rules: Sequence[Rule]

    def refusal(self, passage: Passage) -> str | None:
        if not self.rules:
            return "no rule is configured"
        if passage.rows < 0:
            return "the number of records is not known"
        return next((why for rule in self.rules if (why := rule(passage)) is not None), None)


def house_gate(jurisdictions: frozenset[str], *, live: bool) -> HouseGate:
    """Return the gate of this house. A rehearsal also looks at sites that are not open yet."""
    phases = _LIVE if live else _LIVE | {SitePhase.PLANNED, SitePhase.TESTING}
    return HouseGate(
        (
            leaves_legacy,
            leads_home,
            InPhase(phases),
            UnderLaw(jurisdictions),
            stands_where_it_says,
            keys_stay_near,
        )
    )


_LIVE: Final = frozenset({SitePhase.OPEN})
