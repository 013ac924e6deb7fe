"""The rehearsal's page: whole, self-contained, and deaf to whatever names hold."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from flows.report.facts import RehearsalFacts
from flows.report.rehearsal import render, verdict, write

FACTS = RehearsalFacts(
    run="20260101T000000-abcd",
    at="2026-01-01T00:00:00+00:00",
    state="incomplete",
    exit_code=14,
    config_digest="c" * 64,
    plan={
        "digest": "d" * 64,
        "made_at": "2026-01-01T00:00:00+00:00",
        "expires_at": "2026-01-08T00:00:00+00:00",
        "datasets": ["profiles"],
        "regions": ["IE"],
        "slices": 3,
        "stripes": 1,
        "bytes": 5000,
    },
    sample=None,
    workers=2,
    seconds=4.0,
    tally={"read": 1000, "bytes_read": 9000},
    accounts={"profiles": {"read": 1000, "moved": 900, "stayed": 99, "quarantined": 1}},
    moving=[
        {
            "dataset": "profiles",
            "region": "IE",
            "home": "dublin-1",
            "standby": None,
            "rows": 900,
            "bytes": 4000,
            "batches": 2,
        }
    ],
    quarantine=[{"dataset": "profiles", "reason": "no-user", "region": "?", "rows": 1}],
    failures=[
        {
            "dataset": "profiles",
            "site": "us-east",
            "object": "<script>alert(1)</script>",
            "kind": "bad",
            "why": "not what it says",
        }
    ],
    forecast={
        "rows": 900,
        "bytes": 4000,
        "seconds": 6.0,
        "seconds_low": 4.0,
        "seconds_high": 8.0,
        "cost": None,
        "currency": None,
    },
    warnings=["hamar is planned"],
    findings=[{"about": "hamar: clock", "grade": "care", "says": "late", "means": "set it"}],
    audit={"unfinished": 1, "new": 2, "changed": 0, "gone": 0},
)


def but(**changes: Any) -> RehearsalFacts:
    return {**FACTS, **changes}  # type: ignore[typeddict-item]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_tells_everything_that_was_found() -> None:
    page = render(FACTS)
    told = (
        "dublin-1", "names no user", "hamar is planned", "hamar: clock", "not what it says",
        "d" * 64, "c" * 64, "between", "The source has changed", "20260101T000000-abcd",
    )  # fmt: skip
    assert [it for it in told if it not in page] == []


def test_the_page_is_well_formed_and_needs_nothing_else() -> None:
    page, tags = render(FACTS), Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.seen & {"script", "img", "link", "iframe"}
    assert re.findall(r"(?:src|href)=|https?://|@import|url\(", page) == []


def test_a_name_cannot_become_markup() -> None:
    page = render(FACTS)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_what_was_not_found_out_is_said_to_be_so() -> None:
    page = render(but(findings=[], forecast=None, moving=[], quarantine=[], failures=[]))
    assert "were not looked at" in page
    assert "not known" in page
    assert "Nothing would move" in page


@pytest.mark.parametrize(
    ("changes", "grade", "says"),
    [
        ({"exit_code": 0, "warnings": []}, "good", "Ready"),
        ({"exit_code": 0, "warnings": [], "sample": 0.05}, "care", "sample"),
        ({"exit_code": 0}, "care", "warnings"),
        ({}, "care", "wait"),
        ({"exit_code": 0, "findings": [{"grade": "ill"}]}, "bad", "Not ready"),
    ],
)
def test_the_verdict(changes: dict[str, Any], grade: str, says: str) -> None:
    found = verdict(but(**{"findings": [], **changes}))
    assert found[0] == grade
    assert says in found[1]


def test_both_forms_are_written_side_by_side(tmp_path: Path) -> None:
    page, data = write(tmp_path, FACTS)
    assert page.read_text("utf-8") == render(FACTS)
    assert json.loads(data.read_text("utf-8")) == FACTS
    assert {page.parent, data.parent} == {tmp_path / "reports"}
