"""What a person may ask of a flow: closed models that make a good form, and nothing else.

An unknown key is refused, and so is a name that could not be a name: no template, no path and no
secret passes from a form into a run. The mode of a migration is a rehearsal unless said otherwise.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from flows.jobs import Mode, Order

NAMES_MAX: Final = 500
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{8,64})?$")]


class Closed(BaseModel):
    """Takes what it knows and refuses the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Scope(Closed):
    """Which part of the configured world a run is about."""

    datasets: list[Name] = Field(
        default_factory=list,
        max_length=NAMES_MAX,
        title="Datasets",
        description="Names from the configuration, such as profiles. Empty: all of them.",
    )
    regions: list[Name] = Field(
        default_factory=list,
        max_length=NAMES_MAX,
        title="Regions",
        description="Names from the configuration, such as IE. Empty: all of them.",
    )


class PlanRequest(Scope):
    """What to plan."""


class PlannedScope(Scope):
    """Which part of which plan a run is about."""

    plan: Digest = Field(
        default="",
        title="Plan",
        description="Beginning of a plan's digest, 8 digits or more. Empty: the newest plan.",
    )

    def order(self, mode: Mode, sample: float | None = None) -> Order:
        """Return the order that a job is opened from."""
        return Order(
            mode=mode,
            plan=self.plan or None,
            datasets=tuple(self.datasets),
            regions=tuple(self.regions),
            sample=sample,
        )


class RehearseRequest(PlannedScope):
    """What to rehearse."""

    sample_percent: float = Field(
        default=100,
        gt=0,
        le=100,
        title="Sample, in per cent",
        description="Read only this share of the slices; 100 reads everything.",
    )

    @property
    def sample(self) -> float | None:
        """The share as a fraction, or None for everything."""
        return None if self.sample_percent == 100 else self.sample_percent / 100


class Moded(Closed):
    """Whether writes are real. Stands first in a form."""

    mode: Mode = Field(
        default=Mode.REHEARSAL,
        title="Mode",
        description="rehearsal writes nothing and ends in a report; live writes to home sites.",
    )


class MigrateRequest(PlannedScope, Moded):
    """What to migrate."""


class VerifyRequest(PlannedScope):
    """What to verify."""


def told(names: list[str], otherwise: str, shown: int = 4) -> str:
    """Name the first few, and count the rest."""
    if not names:
        return otherwise
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def run_name() -> str:
    """Name a flow run: its verb, its regions, its mode where it has one."""
    # Prefect asks for a name inside of the run, and tells the run's parameters nowhere else.
    from prefect.runtime import flow_run  # noqa: PLC0415

    request = flow_run.parameters.get("request")
    if not isinstance(request, BaseModel):
        request = _Named.model_validate(request or {})
    regions = told(getattr(request, "regions", []), "all regions")
    mode = getattr(request, "mode", None)
    return " ".join(part for part in (flow_run.flow_name, regions, mode and f"({mode})") if part)


class _Named(BaseModel):
    """Parameters as plain values, before anybody validated them."""

    model_config = ConfigDict(extra="ignore")

    regions: list[Name] = Field(default_factory=list)
    mode: Mode | None = None
