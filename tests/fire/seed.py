"""What lies at the two legacy sites before a trial: five objects, one hundred people, all fates.

Profiles come from three countries of ours, two others and nobody's; the backup holds one object
in another state (newer, older, in conflict, alone); one post is malformed, one names nobody.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from flows.world.tally import Laid, both

COUNTRIES: Final = ("IE", "DE", "US", "NO", "BR", "IE", "US")
PEOPLE: Final = 80
NOBODY, IN_CONFLICT, NEWER, OLDER = 8, 50, 57, 63


def laid() -> list[Laid]:
    """Return every object, with its bytes at either site."""
    return [
        both("profiles/a.parquet", _parquet([_profile(n) for n in range(40)])),
        Laid(
            key="profiles/b.parquet",
            primary=_parquet([_profile(n) for n in range(40, PEOPLE)]),
            backup=_parquet(_behind()),
        ),
        both("posts/c.jsonl", _posts(range(60)) + b'{"post_id": 1000, "user_id"\n'),
        both("posts/d.jsonl.gz", gzip.compress(_posts(range(60, 120)), mtime=0)),
        both("logins/e.csv", _logins()),
    ]


def _user(number: int) -> str:
    return f"u{number:03d}"


def _profile(number: int, version: int = 1, name: str = "Zoë") -> dict[str, Any]:
    country = "ZZ" if number == NOBODY else COUNTRIES[number % len(COUNTRIES)]
    return {"user_id": _user(number), "country": country, "version": version, "name": name}


def _behind() -> list[dict[str, Any]]:
    """The state of the second object at the backup; one record it has alone."""
    rows = {n: _profile(n) for n in range(40, PEOPLE) if n % 7}
    rows[IN_CONFLICT] = _profile(IN_CONFLICT, name="Chloë")
    rows[NEWER] = _profile(NEWER, version=2, name="Zoë Ní Bhriain")
    rows[OLDER] = _profile(OLDER, version=0, name="Z.")
    return [*rows.values(), _profile(903)]


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), sink, write_page_checksum=True)
    return sink.getvalue()


def _posts(numbers: Sequence[int]) -> bytes:
    lines = [
        json.dumps({"post_id": n, "user_id": _user(n % (PEOPLE + 1)), "text": f"№ {n}\u2028"})
        for n in numbers
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _logins() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["user_id", "at", "agent"])
    for n in range(PEOPLE):
        writer.writerow([_user(n), f"2026-01-02T03:04:{n % 60:02d}Z", 'a "quoted",\nagent'])
    return text.getvalue().encode()
