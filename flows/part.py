"""The part of a run's work that one of its processes does, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.object_source import ObjectSource
from connectors.wrap.witnessed import Witnessed
from repatria.ports.records import Nobody, Source, Witness

NOBODY: Final = Nobody()


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a run's work that is done in this process: one ``of`` so many processes.

    Rates agreed with a store are divided by ``of``. ``witness`` hears what is being decoded.
    """

    of: int = 1
    witness: Witness = NOBODY

    def share(self, per_s: float | None) -> float | None:
        """Return this part of a rate that was agreed for all of us together."""
        return per_s / self.of if per_s is not None else None

    def told(self, source: ObjectSource, slice_bytes: int) -> Source:
        """Return a source that the witness hears of, if there is one."""
        if isinstance(self.witness, Nobody):
            return source
        return Witnessed(source, self.witness, slice_bytes)


WHOLE: Final = Part()
