"""Two listings side by side: which objects of the backup only repeat the primary's.

Both listings come in key order, so one walk in step suffices and holds one entry of each.
Two objects are equal only by the same checksum of the same algorithm. An ETag counts as one
where both are plain MD5s: 32 hexadecimal digits and no part count (docs/adr/0005).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from repatria.stored import Found

_MD5: Final = re.compile(r"[0-9a-f]{32}")

Relative = Callable[[Found], str]
Look = Callable[[Found], Found]


@dataclass(frozen=True, slots=True)
class Pair:
    """An object at either site, or at both, under the same relative key."""

    relative: str
    primary: Found | None
    backup: Found | None


def pairs(
    primary: Iterator[tuple[str, Found]], backup: Iterator[tuple[str, Found]]
) -> Iterator[Pair]:
    """Walk two listings in step; each yields (relative key, object) in UTF-8 order of the key."""
    left, right = next(primary, None), next(backup, None)
    while left is not None or right is not None:
        order = _order(left, right)
        yield Pair(
            relative=(left if order <= 0 else right)[0],  # type: ignore[index]  # one is there
            primary=left[1] if left is not None and order <= 0 else None,
            backup=right[1] if right is not None and order >= 0 else None,
        )
        if order <= 0:
            left = next(primary, None)
        if order >= 0:
            right = next(backup, None)


def _order(left: tuple[str, Found] | None, right: tuple[str, Found] | None) -> int:
    if left is None:
        return 1
    if right is None:
        return -1
    mine, theirs = left[0].encode("utf-8"), right[0].encode("utf-8")
    return (mine > theirs) - (mine < theirs)


def same(primary: Found, backup: Found) -> bool | None:
    """Say whether two objects hold the same bytes; None where nothing comparable is known."""
    if primary.object.size != backup.object.size:
        return False
    if primary.etag_is_md5 and backup.etag_is_md5:
        return primary.object.etag == backup.object.etag
    if primary.checksum is not None and backup.checksum is not None:
        mine, theirs = primary.checksum, backup.checksum
        if mine.algorithm == theirs.algorithm:
            return mine.value == theirs.value
    if _MD5.fullmatch(primary.object.etag) and primary.object.etag == backup.object.etag:
        return True
    return None
