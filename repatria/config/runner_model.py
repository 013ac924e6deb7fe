"""Where stripes are worked through, as the configuration writes it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Discriminator, StringConstraints, Tag, model_validator

from repatria.config.loaded import Runner, RunnerKind
from repatria.config.strict_model import Strict

RunnerText = Literal["processes", "threads", "dask"]


class RunnerModel(Strict):
    """Where stripes are worked through. `runner: threads` is short for `runner: {kind: threads}`.

    `processes`: in child processes, so that an input that kills its decoder kills nothing else.
    `threads`: in the run's own process, for debugging. `dask`: on the workers of a Dask cluster.
    """

    kind: RunnerText = "processes"
    """In child processes, in threads of the run's own process, or on a Dask cluster."""

    address: (
        Annotated[
            str,
            StringConstraints(pattern=r"^(tcp|tls|ws|wss|ucx)://[^\s@]+$", max_length=1024),
        ]
        | None
    ) = None
    """Of the scheduler of a Dask cluster that stands, such as `tcp://dask:8786`. Without one a
    cluster is started of `limits.workers` processes, on this machine."""

    @model_validator(mode="after")
    def _has_an_address_where_one_means_something(self) -> Self:
        if self.address is not None and self.kind != "dask":
            raise ValueError("expected no address: only dask has one")
        return self

    def noun(self) -> Runner:
        """Return the noun of this model."""
        return Runner(RunnerKind(self.kind), self.address)


def _form(value: object) -> str | None:
    if isinstance(value, str):
        return "<name>"
    return "<kind>" if isinstance(value, dict | RunnerModel) else None


RunnerRef = Annotated[
    Annotated[RunnerText, Tag("<name>")] | Annotated[RunnerModel, Tag("<kind>")],
    Discriminator(
        _form,
        custom_error_type="runner",
        custom_error_message="expected processes, threads, dask, or {kind: dask, address: …}",
    ),
]

DEFAULT: Final[RunnerText] = "processes"


def runner(written: RunnerText | RunnerModel) -> Runner:
    """Return the noun of either form."""
    return written.noun() if isinstance(written, RunnerModel) else Runner(RunnerKind(written))
