"""An errand: what a hand must know to join a job, and how it is written down for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.jobs import Job, Mode, Order

if TYPE_CHECKING:
    from flows.wiring import House


class Verb(StrEnum):
    """What is done with each stripe."""

    MOVE = "move"
    VERIFY = "verify"
    PLAN = "plan"  #: Has no stripes: all of it is one piece of work.


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A job under way, by names alone. ``folder`` is that of the configuration."""

    verb: Verb
    folder: Path
    order: Order
    run: str = ""

    def told(self) -> dict[str, Any]:
        """Write it down as JSON's own types."""
        return {
            "verb": self.verb.value,
            "folder": str(self.folder.absolute()),
            "order": asdict(self.order),
            "run": self.run,
        }

    @classmethod
    def heard(cls, told: Mapping[str, Any]) -> Errand:
        """Read what ``told`` wrote."""
        order = Order(**told["order"])
        return cls(
            verb=Verb(told["verb"]),
            folder=Path(told["folder"]),
            order=replace(
                order,
                mode=Mode(order.mode),
                datasets=tuple(order.datasets),
                regions=tuple(order.regions),
            ),
            run=told["run"],
        )


@contextmanager
def joined(house: House, errand: Errand) -> Iterator[Job]:
    """Join the job of an errand that moves or verifies."""
    if errand.verb is Verb.MOVE:
        from flows.moving import move_job  # noqa: PLC0415 - each loads what the other needs not

        with move_job(house, errand.order, errand.run) as moving:
            yield moving
        return
    from flows.checking import verify_job  # noqa: PLC0415 - each loads what the other needs not

    assert errand.verb is Verb.VERIFY, "a plan has no stripes"
    with verify_job(house, errand.order, errand.run) as checking:
        yield checking
