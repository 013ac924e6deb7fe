"""Logins as CSV with a header: quoted newlines, quotes in quotes, one byte order mark.

Planted: rows with a field too many; at the backup one object in an older state, with a few
logins that it alone has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

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

PREFIX: Final = "logins/"
LOGINS_PER_USER: Final = 3
WIDE, CONTESTED, MARKED = range(3)
"""Which object is planted with what."""

ORPHANS: Final = 4
HEADER: Final = b"user_id,at,ip,agent\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_TOO_WIDE: Final = b"u-00000001,2026-01-01T00:00:00Z,192.0.2.1,curl,one too many\r\n"
_WIDE_ROWS: Final = 2
_AGENTS: Final = (
    "curl/8.5",
    '"Mozilla/5.0 (X11; Linux x86_64), like Gecko"',
    '"Acme/3.1\nbuild 7"',
    '"the ""new"" app"',
    "Søkemotor",
    "",
)
_FIRST_S: Final = 1_600_000_000


def lay(people: People, tally: Tally) -> Iterator[Laid]:
    """Lay down every object of the dataset, and count what must become of its records."""
    for number, (start, stop) in enumerate(spans(people.users * LOGINS_PER_USER, 4, 500_000)):
        logins = np.arange(start, stop)
        users = people.random(4, number).integers(0, people.users, len(logins))
        rows = _rows(people, logins, users)
        key = f"{PREFIX}part-{number:05d}.csv"
        tally.rows(people.countries(users))
        if number == CONTESTED:
            older = _older(people, rows, logins, users, tally)
            yield Laid(key=key, primary=HEADER + body(rows), backup=HEADER + older)
            continue
        tail = b""
        if number == WIDE:
            tally.waits(Reason.WRONG_COLUMNS, _WIDE_ROWS)
            tail = _TOO_WIDE * _WIDE_ROWS
        yield both(key, (_BOM if number == MARKED else b"") + HEADER + body(rows) + tail)


def _older(people: People, rows: Texts, logins: Numbers, users: Numbers, tally: Tally) -> bytes:
    """Return the backup's copy: its first logins are missing, and a few it alone has."""
    missing = len(rows) // 25
    held = people.countries(users[missing:])
    tally.rows(held, superseded=np.ones(len(held), dtype=np.bool_))
    lonely = users[european(people.countries(users))][:ORPHANS]
    tally.alone(people.countries(lonely))
    lost = _rows(people, logins[: len(lonely)] - 10**8, lonely)
    return body(rows.slice(missing)) + body(lost)


def _rows(people: People, logins: Numbers, users: Numbers) -> Texts:
    """Write logins as CSV; no two happen in the same second, so that (user, at) names one."""
    random = people.random(5, abs(int(logins[0])))
    octets = random.integers(0, 256, len(logins))
    return joined(
        people.ids(users),
        ",",
        rfc3339(_FIRST_S + logins),
        ",",
        prefixed("192.0.2.", digits(octets, 3)),
        ",",
        pick(_AGENTS, random.integers(0, len(_AGENTS), len(logins))),
        "\r\n",
    )
