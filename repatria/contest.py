"""Two legacy sites: which copy of a record counts.

With a version column the newer copy wins; without one the primary wins. Copies of equal
version and unequal content are a conflict; a record that stands in the backup alone is an
orphan: lost, or deleted? Nobody can tell, so a person decides once per dataset.

A dataset is a multiset, so one site may hold an identity several times, in several versions:
those copies never beat one another, only the other site's. The primary is kept as it is
unless the backup knows a newer version. Let p and b be the newest version of an identity in
the primary and in the backup, v that of the copy in question:

    the identity stands …               a primary copy            a backup copy
    in one site only, or is null        wins                      orphan
    in both, no version column          wins                      superseded
    in both, and b > p                  superseded                superseded if v < p, else wins
    in both, and p > b                  wins                      superseded
    in both, p = b, v older             wins                      superseded
    in both, p = b = v, its content
      … stands in the other site too    wins                      superseded
      … does not                        conflict, if a backup     conflict
                                        copy of v is one too

A version that is null cannot be compared: then all versions of that identity count as equal.
Each copy has exactly one standing, and an identity that stands anywhere never ends with all of
its copies superseded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Standings = npt.NDArray[np.uint8]
Groups = npt.NDArray[np.int64]


class Standing(IntEnum):
    """What reconciliation says of one decoded row."""

    WINS = 0  #: It counts. Also the standing of every row that nobody contests.
    SUPERSEDED = 1  #: Another copy counts.
    CONFLICT = 2  #: Equal versions, unequal content: both copies wait for a person.
    ORPHAN = 3  #: It stands in the backup alone.


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Copies of records at one site, one row each.

    ``identity`` and ``content`` are digests, shape (rows, 2). ``named`` is false where the
    identity is null. ``version`` counts where ``versioned`` is true; both are None without a
    version column.
    """

    identity: npt.NDArray[np.uint64] = field(repr=False)
    content: npt.NDArray[np.uint64] = field(repr=False)
    named: Flags = field(repr=False)
    version: npt.NDArray[np.int64] | None = field(default=None, repr=False)
    versioned: Flags | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.identity)


def judge(primary: Copies, backup: Copies) -> tuple[Standings, Standings]:
    """Return the standing of each primary and of each backup copy.

    All copies of an identity that stand anywhere must be given at once. Costs one sort: about
    0.5 µs a copy.
    """
    assert (primary.version is None) == (backup.version is None), "one dataset, one version column"
    ours = np.repeat([True, False], [len(primary), len(backup)])
    named = np.concatenate([primary.named, backup.named])
    groups = _groups(np.concatenate([primary.identity, backup.identity]))
    both = _any(groups, ours & named) & _any(groups, ~ours & named) & named
    standings = np.where(ours, Standing.WINS, Standing.ORPHAN).astype(np.uint8)
    if primary.version is None or backup.version is None:
        standings[both & ~ours] = Standing.SUPERSEDED
    else:
        version = _comparable(primary, backup, groups)
        content = np.concatenate([primary.content, backup.content])
        standings[both] = _by_version(groups[both], ours[both], version[both], content[both])
    return standings[: len(primary)], standings[len(primary) :]


def _by_version(
    groups: Groups, ours: Flags, version: npt.NDArray[np.int64], content: npt.NDArray[np.uint64]
) -> Standings:
    """Judge copies whose identity stands at both sites."""
    standings = np.full(len(groups), Standing.WINS, dtype=np.uint8)
    newest_ours, newest_theirs = _newest(groups, ours, version), _newest(groups, ~ours, version)
    standings[np.where(ours, newest_ours < newest_theirs, version < newest_ours)] = (
        Standing.SUPERSEDED
    )
    level = (newest_ours == newest_theirs) & (version == newest_ours)
    which = np.flatnonzero(level)
    copies = _groups(np.column_stack([groups[which].astype(np.uint64), content[which]]))
    here = ours[which]
    matched = _any(copies, here) & _any(copies, ~here)
    disputed = _any(groups[which], ~here & ~matched)
    standings[which[~here & matched]] = Standing.SUPERSEDED
    standings[which[~matched & disputed]] = Standing.CONFLICT
    return standings


def _comparable(primary: Copies, backup: Copies, groups: Groups) -> npt.NDArray[np.int64]:
    """Return versions, all equal within an identity that has a null one."""
    assert primary.version is not None, "asked for with a version column only"
    assert backup.version is not None, "asked for with a version column only"
    assert primary.versioned is not None, "versions come with their validity"
    assert backup.versioned is not None, "versions come with their validity"
    version = np.concatenate([primary.version, backup.version])
    unknown = ~np.concatenate([primary.versioned, backup.versioned])
    unknown &= np.concatenate([primary.named, backup.named])
    return np.where(_any(groups, unknown), np.int64(0), version)


def _groups(keys: npt.NDArray[np.uint64]) -> Groups:
    """Return numbers of rows so that equal keys, and no others, have equal numbers."""
    order = np.lexsort(keys.T)
    ordered = keys[order]
    fresh = np.zeros(len(keys), dtype=np.int64)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    groups = np.empty(len(keys), dtype=np.int64)
    groups[order] = np.cumsum(fresh)
    return groups


def _any(groups: Groups, flags: Flags) -> Flags:
    """Say for each row whether any row of its group is flagged."""
    flagged = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.bool_)
    flagged[groups[flags]] = True
    found: Flags = flagged[groups]
    return found


def _newest(groups: Groups, flags: Flags, version: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return for each row the newest version among its group's flagged rows (there are some)."""
    newest = np.full(int(groups.max(initial=-1)) + 1, np.iinfo(np.int64).min)
    np.maximum.at(newest, groups[flags], version[flags])
    found: npt.NDArray[np.int64] = newest[groups]
    return found


def mark(standings: npt.NDArray[np.uint8]) -> str:
    """Name the standings of one batch: 16 digits, or ``-`` where every row wins."""
    contested = np.flatnonzero(standings != Standing.WINS)
    if not len(contested):
        return "-"
    told = hashlib.sha256(contested.astype("<u8").tobytes())
    told.update(standings[contested].tobytes())
    return told.hexdigest()[:16]
