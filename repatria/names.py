"""Names that must not be mixed up."""

from __future__ import annotations

from typing import NewType

SiteName = NewType("SiteName", str)
"""One place that holds data, such as ``dublin-1``."""

RegionName = NewType("RegionName", str)
"""A population that cuts over as one, such as ``IE``."""

DatasetName = NewType("DatasetName", str)
"""A named collection of records, such as ``profiles``."""

SliceId = NewType("SliceId", str)
"""32 hexadecimal digits; the same cut of the same object always has the same."""

PlanDigest = NewType("PlanDigest", str)
"""64 hexadecimal digits: SHA-256 of a plan's canonical form."""

RunId = NewType("RunId", str)
"""One execution of a verb."""

Ordinal = int
"""The place of a batch in its slice, from 0."""
