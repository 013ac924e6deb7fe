"""Two legacy sites: which copy of a record counts.

With a version column the newer copy wins; without one the primary wins. Copies of equal
version and unequal content are a conflict; a record that stands in the backup alone is an
orphan: lost, or deleted? Nobody can tell, so a person decides once per dataset.
"""

from __future__ import annotations

from enum import IntEnum


class Standing(IntEnum):
    """What reconciliation says of one decoded row."""

    WINS = 0  #: It counts. Also the standing of every row that nobody contests.
    SUPERSEDED = 1  #: Another copy counts.
    CONFLICT = 2  #: Equal versions, unequal content: both copies wait for a person.
    ORPHAN = 3  #: It stands in the backup alone.
