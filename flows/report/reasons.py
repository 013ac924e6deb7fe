"""Why something waits, in plain words, and what a person can do about it.

Keyed by the text of ``repatria.batch.Reason`` and ``repatria.ports.ledger.FailureKind``, so that
a screen which only explains need not load what decodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason means, and what to do."""

    means: str
    todo: str


_MEND: Final = "Mend the records at the source, plan again, then retry."

RECORDS: Final = {
    "malformed": Meaning("is not a record of the declared format at all", _MEND),
    "encoding": Meaning("is not valid UTF-8 where text must be", _MEND),
    "too-large": Meaning(
        "is larger than one record may be",
        "Raise limits.record_bytes if it is legitimate, then retry; else drop.",
    ),
    "too-deep": Meaning(
        "is nested deeper than one record may be",
        "Raise limits.nesting if it is legitimate, then retry; else drop.",
    ),
    "wrong-columns": Meaning("has more or fewer fields than its header", _MEND),
    "wrong-type": Meaning(
        "has a deciding column (identity, user, version, country) of another type than declared",
        "Correct the type in config/datasets, or mend the records; plan again, then retry.",
    ),
    "no-user": Meaning("names no user, so nobody can say where it belongs", _MEND),
    "unknown-country": Meaning(
        "has no country, or one that is not in ISO 3166-1",
        "Map it in regions.country_aliases or mend the records; plan again, then retry.",
    ),
    "unknown-user": Meaning(
        "belongs to a user whom the directory does not know",
        "Find out whether the user was deleted: complete the directory's dataset, or drop.",
    ),
    "two-regions": Meaning(
        "belongs to a user whom the directory places in two regions",
        "Mend the user's record in the directory's dataset, plan again, then retry.",
    ),
    "conflict": Meaning(
        "differs between primary and backup although both say that they are the same version",
        "Compare both copies. Release moves the one at hand; drop leaves it behind.",
    ),
    "orphan": Meaning(
        "stands in the backup alone: lost at the primary, or deleted there; nobody can tell",
        "Ask who owns the data. Release moves it; drop leaves it behind.",
    ),
}
"""What a record in quarantine has, by reason."""

OBJECTS: Final = {
    "bad": Meaning(
        "is not what its format says, or breaks a limit",
        "Mend or replace the object at the source, then plan again.",
    ),
    "poison": Meaning(
        "ended or stalled every decoder that was put to it",
        "Look at the object where it stands; then repatria quarantine retry --reason poison.",
    ),
    "stale": Meaning("changed after the plan was made", "Plan again: only it is read anew."),
    "missing": Meaning(
        "was removed after the plan was made",
        "If it was removed on purpose, plan again; if not, find out who removed it.",
    ),
    "archived": Meaning(
        "lies in an archive tier and cannot be read at once",
        "Restore it (aws s3api restore-object), then run the same command again.",
    ),
    "changed": Meaning(
        "holds records that resolve to other regions than when it was moved",
        "Read docs/runbooks/stale-slice.md: its parcels were left as they are.",
    ),
    "refused": Meaning("was refused by a rule", "Read the reason beside it; then run again."),
    "transient": Meaning("could not be read for want of an answer", "Run the same command again."),
}
"""What an object that could not be finished has, by kind of failure."""

RELEASABLE: Final = frozenset({"orphan", "conflict"})
"""Reasons whose records are sound in themselves, so that a person may let them pass."""

_UNKNOWN: Final = Meaning("waits for a reason that this version does not know", "Ask its authors.")


def of_record(reason: str) -> Meaning:
    """Explain why a record waits."""
    return RECORDS.get(reason, _UNKNOWN)


def of_object(kind: str) -> Meaning:
    """Explain why an object could not be finished."""
    return OBJECTS.get(kind, _UNKNOWN)
