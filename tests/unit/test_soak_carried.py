"""A soak that is broken off is carried on: no trial is counted twice, none is left out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fire import last_soak
from tests.fire.carried import Carried
from tests.fire.counts import Count

KIND = "killed"


@pytest.fixture
def carried(tmp_path: Path) -> Carried:
    return Carried(tmp_path / "soak.json", "c0ffee0")


def test_a_number_is_taken_once_and_all_are(carried: Carried) -> None:
    other = Carried(carried.path, carried.commit)
    assert [it.take(KIND, 3) for it in (carried, other, carried, other)] == [0, 1, 2, None]


def test_what_somebody_took_who_is_gone_is_given_again(
    carried: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: gone.pid)
        assert carried.take(KIND, 2) == 0
    assert [carried.take(KIND, 2), carried.take(KIND, 2), carried.take(KIND, 2)] == [0, 1, None]


def test_what_was_told_is_added_and_not_tried_again(carried: Carried) -> None:
    carried.tell(KIND, 0, Count(1, 1))
    carried.tell(KIND, 1, Count(1, 0, ["--number 1: lost"]))
    again = Carried(carried.path, "decade0")
    assert again.take(KIND, 2) is None
    assert again.left(KIND, 5) == 3
    again.tell(KIND, 2, Count(1, 1))
    assert again.counts().of(KIND) == Count(3, 2, ["--number 1: lost"])
    assert again.commits(KIND) == ["c0ffee0", "decade0"]


def test_a_trial_that_goes_by_time_has_a_number_of_its_own(carried: Carried) -> None:
    assert [carried.drawn(KIND), carried.drawn(KIND)] == [0, 1]
    carried.tell_timed(KIND, 1.5, Count(1, 1))
    carried.tell_timed(KIND, 2.0, Count(1, 1))
    assert carried.seconds(KIND) == 3.5


def test_the_page_gets_a_row_a_kind_and_keeps_those_that_were_not_tried(
    carried: Carried, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    rows = "| killed | 1 | 1 | 0 | old |\n| frozen | 7 | 7 | 0 | old |\n"
    page.write_text(f"before\n{last_soak.BEGIN}{last_soak.HEAD}{rows}{last_soak.END}after\n")
    carried.tell(KIND, 0, Count(600, 590))
    last_soak.write(carried, page)
    text = page.read_text()
    assert "| killed | 600 | 590 | 0 | 0.50% |" in text
    assert "| frozen | 7 | 7 | 0 | old |" in text
    assert (text.startswith("before\n"), text.endswith("after\n")) == (True, True)
    assert "| old |" not in text.split("| frozen")[0]


def test_a_kind_that_was_violated_supports_no_bound() -> None:
    assert last_soak.rate(Count(100, 100, ["lost"])) == "—"
    assert last_soak.rate(Count(1, 1)) == "100.00%"
