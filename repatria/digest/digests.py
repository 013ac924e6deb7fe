"""Digests of many records at once, and what is done with them: summed, added, compared.

Records form a multiset, so digests are *summed* modulo 2^128: the order of records does not
matter, and a duplicate counts twice (an exclusive or would lose pairs). Digests of one kind and
version only ever meet their like: a line's bytes are never compared with typed values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from repatria.errors import Corrupt

Pairs = npt.NDArray[np.uint64]
"""Shape (records, 2): the high and the low 64 bits of each digest."""

VERSION: Final = 0
_MODULUS: Final = 1 << 128
_FORM: Final = re.compile(rf"([clv]){VERSION}:(0|[1-9][0-9]{{0,18}}):([0-9a-f]{{32}})")
_LOW_HALF: Final = np.uint64(0xFFFF_FFFF)


class Kind(StrEnum):
    """What was digested."""

    CANONICAL = "c"  #: Typed values of all columns.
    CARRIED = "l"  #: The bytes of a line, without its terminator.
    VALUES = "v"  #: Declared columns alone: an identity or a user.


@dataclass(frozen=True, slots=True)
class Digests:
    """One digest per record, in order of the records. Not to be printed: it stands for people."""

    kind: Kind
    pairs: Pairs = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        assert self.pairs.ndim == 2, "one row per record"
        assert self.pairs.shape[1] == 2, "128 bits are two words"

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def high(self) -> npt.NDArray[np.uint64]:
        """The high 64 bits of each."""
        return self.pairs[:, 0]

    @property
    def low(self) -> npt.NDArray[np.uint64]:
        """The low 64 bits of each."""
        return self.pairs[:, 1]

    def select(self, which: npt.NDArray[Any]) -> Digests:
        """Return those that a mask or an array of row numbers chooses."""
        return Digests(self.kind, self.pairs[which])

    def multiset(self) -> str:
        """Return kind and version, count and sum: ``c0:<count>:<32 hexadecimal digits>``."""
        low = int((self.low & _LOW_HALF).sum()) + (int((self.low >> np.uint64(32)).sum()) << 32)
        total = (int(self.high.sum()) << 64) + low
        return _write(self.kind, len(self), total)


@dataclass(frozen=True, slots=True)
class Compared:
    """How two multisets of records differ, in records."""

    matched: int
    missing: int
    extra: int


def concat(parts: Sequence[Digests], kind: Kind) -> Digests:
    """Return the digests of several batches as one. All must be of ``kind``."""
    _require_alike({part.kind for part in parts} | {kind})
    empty_pairs = np.empty((0, 2), dtype=np.uint64)
    return Digests(kind, np.concatenate([empty_pairs, *(part.pairs for part in parts)]))


def compare(source: Digests, target: Digests) -> Compared:
    """Compare as multisets: a record that stands twice must be met twice."""
    _require_alike({source.kind, target.kind})
    pairs = np.concatenate([source.pairs, target.pairs])
    origin = np.repeat([1, 0], [len(source), len(target)])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, origin = pairs[order], origin[order]
    fresh = np.ones(len(pairs), dtype=np.bool_)
    fresh[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    group = np.cumsum(fresh) - 1
    here = np.bincount(group, weights=origin)
    both = np.bincount(group)
    matched = int(np.minimum(here, both - here).sum())
    return Compared(matched, len(source) - matched, len(target) - matched)


def empty(kind: Kind) -> str:
    """Return the multiset of no record: what ``add`` begins with."""
    return _write(kind, 0, 0)


def parse(multiset: str) -> tuple[Kind, int, int]:
    """Return kind, count and sum of a written multiset. Raises ``Corrupt`` for anything else."""
    found = _FORM.fullmatch(multiset)
    if found is None:
        raise Corrupt("this is not a multiset digest that this version writes")
    return Kind(found[1]), int(found[2]), int(found[3], 16)


def add(multiset: str, other: str) -> str:
    """Return the multiset of both together. Raises ``Corrupt`` where they are of two kinds."""
    kind, count, total = parse(multiset)
    other_kind, other_count, other_total = parse(other)
    _require_alike({kind, other_kind})
    return _write(kind, count + other_count, total + other_total)


def _write(kind: Kind, count: int, total: int) -> str:
    return f"{kind.value}{VERSION}:{count}:{total % _MODULUS:032x}"


def _require_alike(kinds: set[Kind]) -> None:
    if len(kinds) > 1:
        names = " and ".join(sorted(kind.name.lower() for kind in kinds))
        raise Corrupt("digests of two kinds never meet", kinds=names)
