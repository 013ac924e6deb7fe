"""What a store promises, what is lost where it does not keep it, and what is done instead.

One table (ADR 0017): the doctor tells it, admission acts on it. A promise that is graded ``ill``
when broken is one for which there is no other way: no live run writes there, and nothing is
planned from there. For all others the other way is the one that ``instead`` names.

What could not be tried counts as not honoured (law 7), except what each single answer is checked
for all the same: there the check is the other way, and nothing is refused in advance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from repatria.finding import Finding, Grade
from repatria.ports.bucket import ProbesReads
from repatria.stored import Candour, Honours


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise: a field of ``Honours`` or ``Candour``, its name, and its two grades."""

    field: str
    name: str
    loss: str  #: What could happen where it is not kept and nothing were done.
    instead: str  #: What is done.
    broken: Grade
    untried: Grade

    def kept(self, seen: Honours | Candour) -> bool | None:
        """Return what was seen of it."""
        kept: bool | None = getattr(seen, self.field)
        return kept

    def grade(self, seen: Honours | Candour) -> Grade:
        """Return how what was seen bears on the work."""
        kept = self.kept(seen)
        return Grade.WELL if kept else self.broken if kept is False else self.untried

    def finding(self, site: str, seen: Honours | Candour) -> Finding:
        """Tell what was seen."""
        about, grade = f"{site}: {self.name}", self.grade(seen)
        if grade is Grade.WELL:
            return Finding(about, grade, "honoured")
        says = "not honoured" if self.kept(seen) is False else "could not be tried"
        return Finding(about, grade, says, f"{self.loss}: {self.instead}")


_NO_WRITE: Final = "no live run writes here"
_NO_READ: Final = "nothing is planned or moved with this store"

WRITING: Final = (
    Promise(
        field="create_only",
        name="If-None-Match",
        loss="two writers could overwrite each other",
        instead=_NO_WRITE,
        broken=Grade.ILL,
        untried=Grade.ILL,
    ),
    Promise(
        field="replace_only",
        name="If-Match",
        loss="a replaced parcel could hide another writer's",
        instead=_NO_WRITE,
        broken=Grade.ILL,
        untried=Grade.ILL,
    ),
    Promise(
        field="listed",
        name="listing",
        loss="a listing leaves out what stands here, and strays would go unseen",
        instead=_NO_WRITE,
        broken=Grade.ILL,
        untried=Grade.ILL,
    ),
    Promise(
        field="checksums",
        name="checksums",
        loss="damage on the way is not refused at once",
        instead="it is found by reading back, before anything counts",
        broken=Grade.CARE,
        untried=Grade.CARE,
    ),
    Promise(
        field="versions",
        name="versions",
        loss="an overwritten parcel cannot be brought back",
        instead="nothing depends on it",
        broken=Grade.CARE,
        untried=Grade.CARE,
    ),
)
"""What is asked of a store in which parcels arrive."""

_PAGES: Final = Promise(
    field="pages",
    name="pages",
    loss="pages leave out objects, repeat them or put them out of order",
    instead=_NO_READ,
    broken=Grade.ILL,
    untried=Grade.NOTE,
)
_ENDS: Final = Promise(
    field="ends",
    name="ends of listings",
    loss="a listing ends before its last object",
    instead="every listing is asked on past its end until nothing follows",
    broken=Grade.CARE,
    untried=Grade.NOTE,
)
_FRESH: Final = Promise(
    field="fresh",
    name="If-Match of reads",
    loss="another version could be read than was planned",
    instead="the ETag of every answer is compared, and a source looked at again after each batch",
    broken=Grade.CARE,
    untried=Grade.NOTE,
)

READING: Final = (
    _PAGES,
    _ENDS,
    _FRESH,
    Promise(
        field="ranges",
        name="Range",
        loss="pieces of an object are answered with other bytes",
        instead=_NO_READ,
        broken=Grade.ILL,
        untried=Grade.NOTE,
    ),
    Promise(
        field="versions",
        name="versions",
        loss="an object that changes after the plan cannot be read as it was",
        instead="it is told as stale, and planned again",
        broken=Grade.NOTE,
        untried=Grade.NOTE,
    ),
)
"""What is asked of a store that records leave."""

READING_BACK: Final = (_PAGES, _ENDS, _FRESH)
"""What is asked, beside ``WRITING``, of a store in which parcels arrive: they are read whole."""


def broken(promises: Iterable[Promise], seen: Honours | Candour) -> str | None:
    """Return why a store cannot be worked with, or None if there is a way."""
    for promise in promises:
        if promise.grade(seen) is Grade.ILL:
            return f"the store was not seen to honour {promise.name}: {promise.loss}"
    return None


def candour_of(bucket: ProbesReads, prefixes: Sequence[str]) -> Candour:
    """Try what a store honours when it is read, on the first prefix under which that shows most."""
    best = Candour()
    for prefix in prefixes:
        seen = bucket.probe_reads(prefix)
        if seen.pages is False or seen.ranges is not None:
            return seen
        if best.pages is None:
            best = seen
    return best
