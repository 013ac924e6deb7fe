"""The crew: few task runs, every stripe, retries where they help, and a stop that is heard."""

from __future__ import annotations

import base64
import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect import flow
from prefect.serializers import PickleSerializer
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows import harden
from flows.crew import TASKS_MAX, Shift, groups, is_transient, run_all, run_stripes, span_of, summed
from repatria.errors import Corrupt, RepatriaError, Stopped, Throttled, Transient
from repatria.ports.rules import Progresses
from repatria.stripe import Tally
from tests.flows.watchers import Quiet


@given(st.lists(st.integers(min_value=0), unique=True).map(sorted), st.integers(1, 50))
def test_groups_hold_every_stripe_once_and_are_few(stripes: list[int], most: int) -> None:
    found = groups(stripes, most)
    assert len(found) <= most
    assert [number for group in found for number in group] == stripes


def test_a_plan_of_many_stripes_stays_readable() -> None:
    assert len(groups(range(100_000))) <= TASKS_MAX


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (Transient("away"), True),
        (Throttled("slow"), True),
        (Corrupt("no"), False),
        (OSError(), False),
    ],
)
def test_only_what_is_transient_is_retried(error: Exception, *, again: bool) -> None:
    assert is_transient(None, None, Failed(data=error, message="x")) is again  # type: ignore[arg-type]


def test_a_stored_result_is_never_unpickled() -> None:
    blob = base64.encodebytes(pickle.dumps({"harmless": True}))
    with pytest.raises(harden.PickleRefused):
        PickleSerializer[object]().loads(blob)


class Signalled(BaseException):
    """Stands for Prefect's own signal, which would end this very process."""


@dataclass
class FakeJob:
    """Stripes that fail as they are told to, a number of times each."""

    stripes: Sequence[int]
    failing: dict[int, list[RepatriaError]] = field(default_factory=dict)
    ran: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    before: Callable[[int], None] = field(default=lambda _number: None)

    def run_stripe(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        self.before(number)
        with self.lock:
            self.ran.append(number)
            if waiting := self.failing.get(number):
                raise waiting.pop(0)
        if stopping():
            raise Stopped("as asked")
        return Tally(read=1)

    def take_over(self, number: int, progress: Progresses, stopping: Callable[[], bool]) -> Tally:
        with self.lock:
            self.taken.append(number)
        return self.run_stripe(number, progress, stopping)


def crew_of(job: FakeJob, stop: threading.Event | None = None, workers: int = 2) -> Shift:
    return Shift(
        run="run", job=job, progress=Quiet(), stop=stop or threading.Event(), workers=workers
    )


def conducted(shift: Shift) -> Tally:
    @flow(task_runner=ThreadPoolTaskRunner(max_workers=8))  # type: ignore[arg-type]
    def conduct() -> None:
        found.append(run_all(shift))

    found: list[Tally] = []
    conduct()
    return found[0]


def test_a_line_of_the_log_tells_one_stripe_or_many() -> None:
    assert [span_of(1, 1), span_of(1, 3)] == ["stripe 1", "stripes 1 to 3"]


def test_in_a_rehearsal_a_line_of_the_log_says_what_would_move() -> None:
    tally = Tally(done=1, read=5, moved=2)
    assert summed(tally, rehearsed=True).endswith("5 records read, 2 would move")
    assert summed(tally, rehearsed=False).endswith("5 records read, 2 moved")


@pytest.mark.usefixtures("prefect_server")
class TestUnderPrefect:
    @pytest.fixture(autouse=True)
    def no_waiting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_stripes, "retry_delay_seconds", 0)
        monkeypatch.setattr(run_stripes, "retry_jitter_factor", None)

    def test_every_stripe_runs_and_is_counted(self) -> None:
        job = FakeJob(range(5))
        assert conducted(crew_of(job)).read == 5
        assert sorted(job.ran) == [0, 1, 2, 3, 4]

    def test_a_store_that_was_away_is_asked_again(self) -> None:
        job = FakeJob(range(2), {1: [Transient("away"), Throttled("slow")]})
        assert conducted(crew_of(job)).read == 2
        assert sorted(job.ran) == [0, 1, 1, 1]

    def test_a_serious_error_is_raised_once_and_nothing_new_begins(self) -> None:
        job = FakeJob(range(50), {0: [Corrupt("the line stops")]})
        with pytest.raises(Corrupt, match="the line stops"):
            conducted(crew_of(job, workers=1))
        assert job.ran == [0]

    def test_a_signal_in_the_flow_reaches_the_threads_before_it_is_raised(self) -> None:
        def signalled() -> None:
            if job.ran:
                raise Signalled

        job = FakeJob(range(50))
        shift = replace(crew_of(job, workers=2), pulse=signalled)
        with pytest.raises(Signalled):
            conducted(shift)
        assert shift.stop.is_set()
        assert len(job.ran) <= 4

    def test_a_stop_is_heard_by_stripes_under_way(self) -> None:
        stop = threading.Event()
        job = FakeJob(range(50), before=lambda number: stop.set() if number == 1 else None)
        with pytest.raises(Stopped):
            conducted(crew_of(job, stop, workers=1))
        assert job.ran == [0, 1]
