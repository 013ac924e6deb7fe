"""Stripes that another run is at come last, and are waited for; everything else is as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from flows.jobs import run_all, run_in_turn
from repatria.errors import FenceLost, Stopped, Transient
from repatria.names import DatasetName
from repatria.ports.rules import Progresses
from repatria.stripe import Tally


class Deaf:
    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        """Nobody listens."""

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        """Nobody listens."""


@dataclass
class Shared:
    """Stripes of which some are in other hands, until they were asked for so many times."""

    stripes: Sequence[int]
    held: dict[int, int] = field(default_factory=dict)
    broken: frozenset[int] = frozenset()
    told: list[tuple[str, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: Callable[[], None] = lambda: None

    def run_stripe(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        return self._run("run", number)

    def take_over(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        self.asked()
        return self._run("over", number)

    def _run(self, how: str, number: int) -> Tally:
        with self.lock:
            self.told.append((how, number))
            if number in self.broken:
                raise Transient("the store is away")
            if self.held.get(number, 0) > 0:
                self.held[number] -= 1
                raise FenceLost("another worker is at work on this stripe")
        return Tally(batches=1)


def test_what_others_hold_comes_last_and_is_asked_for_until_it_is_free() -> None:
    job = Shared(range(4), held={1: 3, 2: 1})
    assert run_in_turn(job, job.stripes, Deaf(), lambda: False).batches == 4
    first = [("run", 0), ("run", 1), ("run", 2), ("run", 3)]
    assert job.told == [*first, ("over", 1), ("over", 1), ("over", 1), ("over", 2)]


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_leave_what_others_hold_for_the_end(workers: int) -> None:
    job = Shared(range(6), held={0: 2, 4: 1})
    assert run_all(job, workers, Deaf(), lambda: False).batches == 6
    assert set(job.told[:6]) == {("run", number) for number in range(6)}
    assert sorted(job.told[6:]) == [("over", 0), ("over", 0), ("over", 4)]


def test_whoever_waits_for_others_can_be_asked_to_stop() -> None:
    stop = threading.Event()
    job = Shared(range(2), held={1: 1000}, asked=stop.set)
    with pytest.raises(Stopped):
        run_all(job, 2, Deaf(), stop.is_set)
    with pytest.raises(Stopped):
        run_in_turn(job, [1], Deaf(), stop.is_set)


def test_a_failure_is_raised_and_nobody_is_waited_for_any_more() -> None:
    job = Shared(range(3), held={0: 1000}, broken=frozenset({1}))
    with pytest.raises(Transient):
        run_all(job, 1, Deaf(), lambda: False)
    assert ("over", 0) not in job.told
