"""Lines of JSON and of what is nearly JSON, for those who must agree on each."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np

from connectors.formats.lines import LineEnds, Lines
from repatria.dataset import Column, ColumnType

COLUMNS = (
    Column("user"),
    Column("n", ColumnType.INT64),
    Column("at", ColumnType.TIMESTAMP),
    Column("é"),
)
NAMES = [column.name for column in COLUMNS] + ["x", "", "a b", "\\", "use", "users", "\u2028"]
TEXTS = ["", "a", "IE", 'q"q', "\\", "\n", "é", "😀", "\x7f", "\ud7ff", "long " * 9, "2026-01-01"]
TIMES = ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05.123456+01:00", "2026-02-30T00:00:00Z"]
NUMBERS = [0, -0, 1, -1, 10**17, 10**18, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 1.0, 1e300]
INTERESTING = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\t", b"\r", b"\0", b"\x1f"),
    *(b"0", b"-", b".", b"e", b"E+", b"NaN", b"Infinity", b"true", b"nul", b"null", b"\\u12"),
    *(b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\u0000", b"\\q", b"\\/", b"\xff", b"\xc0\x80"),
    *(b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf"),
]


def value(rng: Random, depth: int) -> Any:
    kind = rng.randrange(9 if depth else 6)
    if kind < 3:
        return rng.choice([None, True, False, *NUMBERS])
    if kind < 6:
        return rng.choice([*TEXTS, *TIMES])
    if kind < 8:
        return {rng.choice(NAMES): value(rng, depth - 1) for _ in range(rng.randrange(4))}
    return [value(rng, depth - 1) for _ in range(rng.randrange(4))]


def fitting(rng: Random) -> dict[str, Any]:
    """Return a record whose deciding values have their types, nearly always."""
    told = {
        "user": rng.choice(TEXTS),
        "n": rng.choice(NUMBERS[:10]),
        "at": rng.choice(TIMES),
        "é": rng.choice([*TEXTS, None]),
        rng.choice(NAMES): value(rng, 3),
    }
    names = rng.sample(list(told), rng.randint(1, len(told)))
    return {name: told[name] for name in names}


def line(rng: Random) -> bytes:
    """Return one record, or one that was spoilt by an edit or two; without a line feed."""
    told = fitting(rng) if rng.random() < 0.8 else value(rng, 3)
    gaps = rng.choice([(",", ":"), (", ", ": "), (" ,\t", " :\r")])
    text = json.dumps(told, ensure_ascii=rng.random() < 0.3, separators=gaps)
    octets = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:  # A name more in one of its objects: often one that is there.
        more = b"{" + json.dumps(rng.choice(NAMES)).encode() + b":0,"
        octets = more.join(octets.split(b"{", rng.randrange(1, 4)))
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        at = rng.randrange(len(octets) + 1)
        until = at + rng.choice([0, 1, 1, 2])
        octets = octets[:at] + rng.choice([b"", *INTERESTING]) + octets[until:]
    return octets.replace(b"\n", b"") or b"{}"


def lines_of(rng: Random, count: int) -> Lines:
    """Return some lines, each with its terminator but perhaps the last."""
    text = b"".join(line(rng) + rng.choice([b"\n", b"\r\n"]) for _ in range(count))
    if count and rng.random() < 0.5:
        text += line(rng)
    bounds = LineEnds().ends(text).tolist()
    ends = [0, *bounds] if not text or text.endswith(b"\n") else [0, *bounds, len(text)]
    return Lines(text, np.array(ends, dtype=np.int64))
