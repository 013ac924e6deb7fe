"""Posts as gzipped JSON lines, keyed by user alone: where a post lives, only its author decides.

Text is as life writes it: many scripts, escapes, numbers that a careless reader would change.
Planted: lines that are not records, a line that is not UTF-8, a blank line, posts of nobody,
exact duplicates; at the backup one object in an older state, one object missing; many small
objects, and keys that are odd but legal.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.world.people import (
    Numbers,
    People,
    Texts,
    body,
    digits,
    european,
    joined,
    pick,
    prefixed,
    rfc3339,
)
from flows.world.tally import Laid, Tally, both, spans
from repatria.batch import Reason

PREFIX: Final = "posts/"
POSTS_PER_USER: Final = 2
MALFORMED, STRANGERS, CONTESTED, ABSENT, DOUBLED = range(5)
"""Which object is planted with what."""

UNKNOWN_AUTHORS: Final = 25
ORPHANS: Final = 6
DUPLICATES: Final = 5
SMALL_ROWS: Final = 12
SMALL: Final = (
    "2024/small/1.jsonl.gz",
    "2024/small/2.jsonl.gz",
    "2024/small/3.jsonl.gz",
    "2024/a b+c%2Fd.jsonl.gz",
    "2024/../dots.jsonl.gz",
    "2024//two-slashes.jsonl.gz",
    "2024/東京/søndag ☃.jsonl.gz",
    "2024/no-ending",
)
_NOT_RECORDS: Final = (
    b'{"post_id": 1, "user_id": "u-000\n',
    b"pasted by hand, never meant to be here\n",
    b'["an", "array"]\n',
)
_NOT_UTF8: Final = b'{"post_id": 2, "user_id": "u-00000001", "text": "caf\xe9"}\n'
_TEXT: Final = (
    "Dia dhuit",
    "Blåbærsyltetøy 🫐",
    "مرحبا بالعالم",
    "日本語のテキスト",
    'she said \\"no\\"',
    "tab\\tand\\nnewline",
    "\\u00e9 is é",
    "\\ud83d\\ude00 is 😀",
    "Zalgo h̷̛e",
    "a\u2028b is one line",
    "<b>&amp;</b>",
)
_NUMBERS: Final = ("1.0", "1", "1e3", "-0.0", "9007199254740993", "18446744073709551616", "0.1")
_ATTACHED: Final = (
    "[]",
    '[{"kind":"photo","size":{"w":1920,"h":1080.0},"tags":["sea",null]}]',
    '[{"kind":"link","of":{"country":"US","user_id":"u-99999999"}},{"kind":"none"}]',
)
_FIRST_S: Final = 1_500_000_000


def lay(people: People, tally: Tally) -> Iterator[Laid]:
    """Lay down every object of the dataset, and count what must become of its records."""
    first = 0
    for number, (start, stop) in enumerate(spans(people.users * POSTS_PER_USER, 6, 200_000)):
        yield _large(people, number, np.arange(start, stop), tally)
        first = stop
    for number, key in enumerate(SMALL):
        posts = np.arange(first, first := first + SMALL_ROWS)
        authors = _authors(people, posts, 1_000 + number)
        tally.rows(people.countries(authors))
        plain = body(_lines(people, posts, authors))
        yield both(PREFIX + key, plain if key.endswith("ending") else _gzip(plain))


def _large(people: People, number: int, posts: Numbers, tally: Tally) -> Laid:
    """Lay down one of the large objects, with what is planted in it."""
    authors = _authors(people, posts, number)
    lines = _lines(people, posts, authors)
    key = f"{PREFIX}2024/part-{number:05d}.jsonl.gz"
    tally.rows(people.countries(authors))
    if number == CONTESTED:
        older = _older(people, lines, posts, authors, tally)
        return Laid(key=key, primary=_gzip(body(lines)), backup=_gzip(older))
    if number == ABSENT:
        return Laid(key=key, primary=_gzip(body(lines)), backup=None)
    return both(key, _gzip(_planted(people, number, lines, authors, tally)))


def _planted(people: People, number: int, lines: Texts, authors: Numbers, tally: Tally) -> bytes:
    """Return an object's text with what belongs into it besides its lines."""
    if number == MALFORMED:
        tally.waits(Reason.MALFORMED, len(_NOT_RECORDS))
        tally.waits(Reason.ENCODING, 1)
        middle = len(lines) // 2
        rest = body(lines.slice(middle))
        return b"".join([body(lines.slice(0, middle)), *_NOT_RECORDS, b"  \n", _NOT_UTF8, rest])
    if number == STRANGERS:
        tally.waits(Reason.UNKNOWN_USER, UNKNOWN_AUTHORS)
        return body(lines) + body(_of_nobody())
    if number == DOUBLED:
        tally.rows(people.countries(authors[:DUPLICATES]))
        return body(lines) + body(lines.slice(0, DUPLICATES))
    return body(lines)


def _older(people: People, lines: Texts, posts: Numbers, authors: Numbers, tally: Tally) -> bytes:
    """Return the backup's copy: its last posts are missing, some differ, a few it alone has."""
    held = len(lines) - len(lines) // 30
    countries = people.countries(authors[:held])
    tally.rows(countries, superseded=np.ones(held, dtype=np.bool_))
    edits = pa.array(np.arange(held) % 50 == 4)
    copy = lines.slice(0, held)
    edited = pc.if_else(edits, pc.replace_substring(copy, '"draft":false', '"draft":true'), copy)
    lonely = authors[european(people.countries(authors))][:ORPHANS]
    tally.alone(people.countries(lonely))
    return body(edited) + body(_lines(people, 10**12 + posts[: len(lonely)], lonely))


def _of_nobody() -> Texts:
    """Return posts whose author has no profile anywhere."""
    numbers = np.arange(UNKNOWN_AUTHORS)
    ids = pc.cast(pa.array(2 * 10**12 + numbers), pa.string())
    return joined('{"post_id":', ids, ',"user_id":"', prefixed("x-", digits(numbers, 8)), '"}\n')


def _authors(people: People, posts: Numbers, purpose: int) -> Numbers:
    return people.random(2, purpose).integers(0, people.users, len(posts))


def _lines(people: People, posts: Numbers, authors: Numbers) -> Texts:
    """Write posts as JSON, a line each, straight from columns."""
    random = people.random(3, int(posts[0]))
    count = len(posts)
    words = [pick(_TEXT, random.integers(0, len(_TEXT), count)) for _ in range(3)]
    return joined(
        '{"post_id":',
        pc.cast(pa.array(posts), pa.string()),
        ',"user_id":"',
        people.ids(authors),
        '","created_at":"',
        rfc3339(_FIRST_S + random.integers(0, 10**8, count)),
        '","text":"',
        words[0],
        " — ",
        words[1],
        ", ",
        words[2],
        '", "weight" : ',
        pick(_NUMBERS, random.integers(0, len(_NUMBERS), count)),
        ',"draft":false,"attachments":',
        pick(_ATTACHED, random.integers(0, len(_ATTACHED), count)),
        "}\n",
    )


def _gzip(text: bytes) -> bytes:
    return gzip.compress(text, compresslevel=3, mtime=0)
