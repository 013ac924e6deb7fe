"""Staffs a run: its job as one whose stripes hands run, and its plan as one that a hand makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.hands.deaths import Deaths
from flows.hands.errand import Errand, Verb
from flows.hands.hand import PROGRAM
from flows.hands.workforce import Hands
from repatria.errors import PlanRefused
from repatria.names import DatasetName, PlanDigest
from repatria.plan import Plan
from repatria.stripe import Tally

if TYPE_CHECKING:
    from flows.jobs import Job
    from flows.wiring import House
    from repatria.ports.ledger import Failures
    from repatria.ports.rules import Progresses


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told of hands that end, and which program a hand is."""

    tell: Callable[[str], None]
    program: Sequence[str] = PROGRAM


@dataclass(frozen=True, slots=True)
class HandedJob:
    """A job whose stripes are run by hands."""

    stripes: Sequence[int]
    hands: Hands

    def run_stripe(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Have one stripe run."""
        return self._run({"stripe": number}, progress, stopping)

    def take_over(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        """Have one stripe run when whoever is at it lets go."""
        return self._run({"stripe": number, "over": True}, progress, stopping)

    def _run(
        self, what: dict[str, object], progress: Progresses, stopping: Callable[[], bool]
    ) -> Tally:
        heard = _Heard(progress)
        answer = self.hands.follow(what, heard, stopping)
        tally = Tally(**answer["tally"])
        if self.hands.errand.verb is Verb.MOVE:
            # What a hand committed before it ended is in no answer.
            tally.batches, tally.read = heard.tally.batches, heard.tally.read
            tally.moved, tally.bytes_read = heard.tally.moved, heard.tally.bytes_read
        return tally


@contextmanager
def hands_for(
    house: House, errand: Errand, failures: Failures | None, of: int, notice: Notice
) -> Iterator[Hands]:
    """Have up to ``of`` hands at call; ``failures`` is the ledger that hears of poison."""
    deaths = Deaths(house.config.limits.decode_attempts, failures, notice.tell)
    deaths.know(house.ledger(read_only=True))
    with closing(Hands(house, errand, deaths, of, notice.program)) as hands:
        yield hands


@contextmanager
def staffed(
    house: House, job: Job, errand: Errand, failures: Failures | None, notice: Notice
) -> Iterator[Job]:
    """Give a job to hands for the length of the block."""
    of = max(1, min(house.workers, len(job.stripes)))
    with hands_for(house, errand, failures, of, notice) as hands:
        yield HandedJob(job.stripes, hands)


@contextmanager
def staffed_elsewhere(house: House, errand: Errand, notice: Notice) -> Iterator[HandedJob]:
    """Join a run that a door elsewhere began, with one hand; its stripes are told one by one."""
    failures = house.ledger() if errand.verb is Verb.MOVE else None
    with hands_for(house, errand, failures, house.part.of, notice) as hands:
        yield HandedJob((), hands)


def planned(house: House, errand: Errand, notice: Notice, stopping: Callable[[], bool]) -> Plan:
    """Have a plan made by a hand: planning decodes too.

    Raises ``Stopped`` when asked to stop: a plan that is not whole is none. What ended the
    planner's decoder too often is let be, and a run that moves hears of it.
    """
    ledger = house.ledger()
    with hands_for(house, errand, ledger, 1, notice) as hands:
        answer = hands.follow({}, _Heard(None), stopping)
    made = ledger.plan(PlanDigest(answer["plan"]))
    if made is None:
        raise PlanRefused("the plan that was made is gone from the ledger")
    return made


class _Heard:
    """Adds up what was told of batches, and tells of each failed slice once."""

    def __init__(self, progress: Progresses | None) -> None:
        self._progress = progress
        self._failed: set[str] = set()
        self.tally = Tally()

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        self.tally.add(Tally(batches=1, read=read, moved=moved, bytes_read=bytes_read))
        if self._progress is not None:
            self._progress.batch(dataset, read, moved, bytes_read)

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        told = failed is not None and label in self._failed
        if failed is not None:
            self._failed.add(label)
        if self._progress is not None and not told:
            self._progress.slice_done(dataset, label, failed)
