"""One JSON record judged strictly (RFC 8259), for lines that the fast way did not take.

The fast way (``jsonl``) and this one must agree on every line, or the neighbours of a bad
record would decide about good ones: what the fast way takes this one takes, with equal values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from repatria.batch import Reason
from repatria.dataset import Column, ColumnType

NESTING_MAX = 400
"""No limit may go beyond this: parsers recurse, and the strict one gives up near a thousand."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_LONE = re.compile(rb"\\u[dD][89a-fA-F]")
_NOT_BRACKETS = bytes(octet for octet in range(256) if octet not in b"[]{}")
_STEPS = np.zeros(256, dtype=np.int64)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1
_WHOLE_DIGITS = 20
_NO_INT64 = float("inf")

Values = tuple[str | int | None, ...]
"""Values of the deciding columns in order; a timestamp still as its text."""


_NAME = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(?:[ \t\r\n]*+(:))?', re.DOTALL)


class _Members(dict[str, object]):
    """An object whose names are each given once: what says one thing twice says nothing."""

    def __init__(self, members: Sequence[tuple[str, object]]) -> None:
        super().__init__(members)
        if len(self) < len(members):
            raise ValueError("a name is given twice")


def depth(line: bytes) -> int:
    """Return how deep brackets nest outside of strings, up to the first error of a line."""
    brackets = _STRING.sub(b"", line).translate(None, _NOT_BRACKETS)
    steps = np.cumsum(_STEPS[np.frombuffer(brackets, dtype=np.uint8)])
    return int(steps.max(initial=0))


def may_repeat(line: bytes) -> bool:
    """Say whether a name may be given twice; that it stands in two objects counts as well.

    Meant for lines that are JSON: where they are not, somebody else says so.
    """
    found = [text for text, colon in _NAME.findall(line) if colon]
    return len(set(found)) < len(found) or any(b"\\" in text for text in found)


def longest_text(line: bytes) -> int:
    """Return the bytes between the quotes of the longest text of a line, escapes as written."""
    return max((len(text[0]) - 2 for text in _STRING.finditer(line)), default=0)


def judged(line: bytes, columns: Sequence[Column], nesting: int) -> Values | Reason:
    """Return the deciding values of one line, or why it is no record."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return Reason.ENCODING
    if depth(line) > nesting:
        return Reason.TOO_DEEP
    members = _parsed(text)
    if members is None or (_LONE.search(line) and _has_lone_surrogate(members)):
        return Reason.MALFORMED
    return _decide(members, columns)


def _parsed(text: str) -> _Members | None:
    try:
        found = json.loads(
            text, object_pairs_hook=_Members, parse_constant=_no_constant, parse_int=_whole
        )
    except ValueError:
        return None
    return found if isinstance(found, _Members) else None


def _decide(members: _Members, columns: Sequence[Column]) -> Values | Reason:
    taken = tuple(members.get(column.name) for column in columns)
    if not all(map(_fits, taken, columns)):
        return Reason.WRONG_TYPE
    return tuple(value for value in taken if value is None or isinstance(value, str | int))


def _fits(value: object, column: Column) -> bool:
    if value is None:
        return True
    if column.type is ColumnType.INT64:
        return type(value) is int and -(2**63) <= value < 2**63
    return isinstance(value, str)


def _whole(digits: str) -> int | float:
    """Read an integer; one of many digits is no int64, and reading it would cost its square."""
    return int(digits) if len(digits) <= _WHOLE_DIGITS else _NO_INT64


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and infinities are not JSON")


def _has_lone_surrogate(members: _Members) -> bool:
    try:
        json.dumps(members, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
