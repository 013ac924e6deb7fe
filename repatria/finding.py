"""Findings: what was looked at, how it bears on the work, and what all of them come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a finding bears on the work."""

    WELL = "well"
    NOTE = "note"  #: Good to know; nothing is at risk.
    CARE = "care"  #: It works, in a slower or weaker way.
    ILL = "ill"  #: The main job cannot be done safely until this is mended.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    grade: Grade
    says: str
    means: str = ""


def verdict(findings: Sequence[Finding]) -> tuple[Grade, str]:
    """Return the worst grade, and one line that says what it means."""
    order = list(Grade)
    worst = max((finding.grade for finding in findings), key=order.index, default=Grade.ILL)
    counts = {grade: sum(f.grade is grade for f in findings) for grade in order}
    if not findings:
        return worst, "nothing was looked at"
    if worst is Grade.ILL:
        return worst, f"not ready: {counts[Grade.ILL]} of {len(findings)} findings stand in the way"
    if worst is Grade.CARE:
        return worst, f"ready, with care: {counts[Grade.CARE]} findings to know about"
    return worst, f"ready: {len(findings)} findings, nothing stands in the way"
