"""What the screen shows while work is under way, and of where everything stands."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from rich.progress import Progress

from flows.command.running import Asked
from flows.command.screen import doctor_table, plan_tables, status_grid
from flows.command.screen.ending import show_points
from flows.command.screen.plan_tables import bar
from flows.command.screen.progress import Bars, Lines, watching
from flows.jobs import Mode
from flows.parameters import MigrateRequest, RehearseRequest, VerifyRequest
from flows.report.story import Point
from repatria.finding import Finding, Grade
from repatria.names import DatasetName, PlanDigest, RegionName, RunId
from repatria.plan import Plan
from repatria.ports.ledger import Run
from repatria.status import Cell, Status

POSTS = DatasetName("posts")
IE = RegionName("IE")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLAN = Plan(
    digest=PlanDigest("d" * 64),
    config_digest="c" * 64,
    datasets=(POSTS,),
    regions=(IE,),
    directories={},
    reconciled={},
    stripe_count=4,
    slice_count=10,
    bytes=1000,
    made_at=NOON,
    expires_at=NOON + timedelta(days=7),
)
RUN = Run(
    id=RunId("r"), verb="migrate", mode="live", plan=PLAN.digest, config_digest="c", began_at=NOON
)
STATUS = Status(
    at=NOON,
    plan=PLAN,
    run=RUN,
    cells=(Cell(dataset=POSTS, region=IE, rows=50, bytes=10, expected=100),),
    accounts={},
    stripes_done=1,
    failures=(),
    waiting={(POSTS, "orphan", "IE"): 3},
    dropped=0,
    verification=None,
)


def drawn(parts: list[object], width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class TestProgress:
    def test_away_from_a_terminal_it_is_lines(self) -> None:
        with watching("migrate") as watcher:
            assert isinstance(watcher, Lines)

    def test_lines_tell_the_beginning_and_what_failed_and_are_few(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lines = Lines("migrate")
        lines.begins(PLAN, "r", {POSTS: 10})
        for _ in range(1000):
            lines.batch(POSTS, 5, 2, 100)
        lines.slice_done(POSTS, "a.csv at us-east", "it is no gzip")
        shown = capsys.readouterr().err.splitlines()
        assert shown == [
            f"migrate: plan {'d' * 12}, 10 slices",
            "posts: a.csv at us-east: it is no gzip",
        ]

    def test_bars_count_slices_and_tell_what_earlier_runs_did(self) -> None:
        console = Console(file=io.StringIO(), force_terminal=True, width=100)
        with Progress(console=console) as progress:
            bars = Bars("migrate", progress)
            bars.begins(PLAN, "r", {POSTS: 10})
            bars.batch(POSTS, 5, 2, 100)
            bars.slice_done(POSTS, "a", None)
            bars.slice_done(POSTS, "[b]", "no")
            bars.passed_over(3)
            posts, earlier = progress.tasks
        assert (posts.description, posts.completed, posts.total) == ("posts", 2, 10)
        assert "5 records read, 2 moved" in posts.fields["told"]
        assert (earlier.description, earlier.completed) == ("done before", 3)
        assert isinstance(console.file, io.StringIO)
        assert "[b]: no" in console.file.getvalue()

    def test_whoever_asks_for_no_write_watches_a_rehearsal(self) -> None:
        rehearsed = (Asked("rehearse", RehearseRequest()), Asked("migrate", MigrateRequest()))
        assert all(asked.rehearsed for asked in rehearsed)
        real = Asked("migrate", MigrateRequest(mode=Mode.LIVE)), Asked("verify", VerifyRequest())
        assert not any(asked.rehearsed for asked in real)

    def test_in_a_rehearsal_records_would_move(self) -> None:
        console = Console(file=io.StringIO(), force_terminal=True, width=100)
        with Progress(console=console) as progress:
            bars = Bars("rehearse", progress, rehearsed=True)
            bars.batch(POSTS, 5, 2, 100)
            (posts,) = progress.tasks
        assert "5 records read, 2 would move" in posts.fields["told"]


def test_reasons_hang_below_what_they_explain(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    why = "profiles, region not known: the source: it ends in the middle of a gzip member"
    show_points([Point("1 slice could not be compared.", "Mend it.", because=(why,))])
    lines = capsys.readouterr().out.splitlines()[2:]
    assert lines[0].startswith(" • 1 slice")
    assert lines[1].startswith("   · profiles, region not known")
    assert lines[2].startswith("     ")
    assert lines[-1].startswith("   → Mend")


def test_a_list_of_plans_keeps_each_digest_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    plan = replace(PLAN, digest=PlanDigest("0123456789abcdef" * 4), datasets=(POSTS,) * 9)
    plan_tables.show_list([plan], NOON)
    assert "0123456789ab " in capsys.readouterr().out


class TestStatus:
    def test_a_narrow_screen_drops_the_bars_and_keeps_the_regions(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = [DatasetName(name) for name in ("logins", "pictures", "posts", "profiles")]
        cells = [replace(STATUS.cells[0], dataset=name) for name in names]
        status = replace(STATUS, cells=cells)
        monkeypatch.setenv("COLUMNS", "60")
        narrow = drawn(list(status_grid.parts(status)), 60)
        assert "█" not in narrow
        for word in ("Region", "Waiting", "IE ", "profiles"):
            assert word in narrow
        monkeypatch.setenv("COLUMNS", "120")
        assert "█" in drawn(list(status_grid.parts(status)))

    def test_stripes_count_as_done_only_where_nothing_is_missing_at_home(self) -> None:
        assert "done" not in drawn(list(status_grid.parts(replace(STATUS, stripes_done=4))))
        whole = replace(STATUS, stripes_done=4, cells=(replace(STATUS.cells[0], rows=100),))
        assert "4 of 4 stripes done" in drawn(list(status_grid.parts(whole)))

    def test_a_grid_has_bars_and_what_waits(self) -> None:
        shown = drawn(list(status_grid.parts(STATUS)))
        assert "50 of about 100 records at home" in shown
        assert "█████·····" in shown
        assert "3 records in quarantine" in shown

    def test_two_looks_at_a_run_give_a_rate_and_what_is_left(self) -> None:
        later = replace(
            STATUS,
            at=NOON + timedelta(seconds=10),
            cells=(replace(STATUS.cells[0], rows=80),),
        )
        assert status_grid.pace(later, STATUS) == 3.0
        assert "left" in drawn(list(status_grid.parts(later, STATUS)))

    def test_what_was_verified_is_marked_and_what_differs_too(self) -> None:
        cell = replace(STATUS.cells[0], verified=50)
        assert "✓" in drawn(list(status_grid.parts(replace(STATUS, cells=(cell,)))))
        worse = replace(cell, differing=1)
        assert "✗" in drawn(list(status_grid.parts(replace(STATUS, cells=(worse,)))))

    def test_no_plan_says_what_to_do(self) -> None:
        assert "repatria plan" in drawn(list(status_grid.parts(replace(STATUS, plan=None))))

    def test_a_watch_looks_again_until_it_is_left(self) -> None:
        looks = list[int]()

        def look() -> Status:
            looks.append(1)
            return STATUS

        def pause() -> None:
            if len(looks) == 3:
                raise KeyboardInterrupt

        status_grid.watch(look, pause)
        assert len(looks) == 3


class TestDoctor:
    FINDINGS = (
        Finding("dublin-1: write", Grade.WELL, "objects can be put"),
        Finding("hamar: place", Grade.ILL, "another [country]", "the gate refuses"),
    )

    def test_the_verdict_comes_first_and_the_worst_next(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        doctor_table.show(self.FINDINGS)
        shown = capsys.readouterr().out
        places = [shown.index(it) for it in ("Not ready", "another [country]", "✓   dublin-1")]
        assert places == sorted(places)

    def test_what_stands_in_the_way_is_refused_and_what_needs_care_is_not(self) -> None:
        assert doctor_table.exit_code(self.FINDINGS) == 10
        assert doctor_table.exit_code([Finding("x", Grade.CARE, "y")]) == 0
        assert doctor_table.exit_code([]) == 10

    def test_json_has_the_verdict_and_every_finding(self) -> None:
        told = doctor_table.told(self.FINDINGS)
        assert told["grade"] == "ill"
        assert [it["grade"] for it in told["findings"]] == ["well", "ill"]


def test_something_is_never_drawn_as_nothing() -> None:
    assert bar(1, 10**9)
    assert bar(0, 10) == ""
    assert bar(10, 10, 4) == "████"
    assert bar(11, 10, 4) == "████"
