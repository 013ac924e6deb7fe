"""Writes a rehearsal's report: one HTML page that needs nothing else, and the same as JSON.

Every fact passes through the template's escaping; the page has no script and loads nothing, so
that it can be mailed, printed and kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from connectors.disk import write_whole
from flows.report import numbers
from flows.report.facts import RehearsalFacts
from flows.report.reasons import of_object, of_record

TEMPLATE: Final = "rehearsal.html.j2"
FOLDER: Final = "reports"
OBJECTS_SHOWN: Final = 100
"""Failed objects that the page lists; JSON has them all."""


def render(facts: RehearsalFacts) -> str:
    """Return the page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - slow

    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "count": numbers.count,
        "size": numbers.size,
        "duration": numbers.duration,
        "moment": numbers.moment,
    }
    return environment.get_template(TEMPLATE).render(facts=facts, **_derived(facts))


def write(folder: Path, facts: RehearsalFacts) -> tuple[Path, Path]:
    """Write both forms under ``folder``/reports; return where the page and the JSON stand."""
    reports = folder / FOLDER
    page = reports / f"rehearsal-{facts['run']}.html"
    data = page.with_suffix(".json")
    write_whole(page, render(facts))
    write_whole(data, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    return page, data


def _derived(facts: RehearsalFacts) -> dict[str, Any]:
    seconds, tally = facts["seconds"], facts["tally"]
    ill = [finding for finding in facts["findings"] if finding["grade"] in ("ill", "care")]
    return {
        "verdict": verdict(facts),
        "moving": sum(passage["rows"] for passage in facts["moving"]),
        "moving_bytes": sum(passage["bytes"] for passage in facts["moving"]),
        "homes": _homes(facts),
        "widest": max((passage["rows"] for passage in facts["moving"]), default=0),
        "waiting": sum(entry["rows"] for entry in facts["quarantine"]),
        "rows_per_s": numbers.rate(tally["read"] / seconds if seconds > 0 else None),
        "bytes_per_s": numbers.size(round(tally["bytes_read"] / seconds)) if seconds > 0 else None,
        "trouble": ill,
        "of_record": of_record,
        "of_object": of_object,
        "objects_shown": OBJECTS_SHOWN,
        "share": numbers.share,
    }


def verdict(facts: RehearsalFacts) -> tuple[str, str]:
    """Return "good", "care" or "bad", and one sentence that a manager can act on."""
    if any(finding["grade"] == "ill" for finding in facts["findings"]):
        return "bad", "Not ready: something stands in the way of a live run."
    if facts["exit_code"] == 0 and not facts["warnings"] and facts["sample"] is None:
        return "good", "Ready: everything in the plan would move, and the books balance."
    if facts["exit_code"] == 0 and not facts["warnings"]:
        return "care", "The sample found nothing in the way; the rest was not read."
    if facts["exit_code"] == 0:
        return "care", "Everything that was read would move, but there are warnings to heed."
    return "care", "Most would move; some records or objects would wait for a person."


def _homes(facts: RehearsalFacts) -> list[tuple[str, int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for passage in facts["moving"]:
        rows, octets = sums.get(passage["home"], (0, 0))
        sums[passage["home"]] = rows + passage["rows"], octets + passage["bytes"]
    return [(home, *sums[home]) for home in sorted(sums)]
