"""The steps of the demonstration, in the order in which a migration lead would take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """A command as it is typed after ``repatria``, what it is for, and how it must end."""

    command: str
    purpose: str
    ends: int = 0
    because: str = ""


_AS_IN_LIFE: Final = "as in life, a few records and one object are bad, and wait for a person"

STEPS: Final = (
    Step("init", "Make the state folder, a secret key and the ledger."),
    Step("doctor", "Look at this machine and at all five stores: is everything there, allowed?"),
    Step("plan", "List the sources, freeze each object's version, estimate what it takes."),
    Step("rehearse", "Do all of it but write; ends in a report.", 14, _AS_IN_LIFE),
    Step("migrate --live", "Move the records home, each batch read back.", 14, _AS_IN_LIFE),
    Step("verify", "Read both sides anew and compare them, record by record.", 14, _AS_IN_LIFE),
    Step("status", "Where everything stands, region by region."),
    Step("quarantine list", "What waits for a person, and why."),
)
"""Every one is the command itself, with nothing added."""
