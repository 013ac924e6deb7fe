"""User profiles as Parquet: typed, nested, evolved, and at one site a little behind the other.

Planted: a country that is absent, not a country, or in lower case; an object cut short; an
object that the backup holds in an older state (some records missing, some older, some newer,
some different at the same version, some that it alone has); an object that it alone has; and
newer objects with a column more.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.world.people import (
    Numbers,
    People,
    Texts,
    country_codes,
    digits,
    joined,
    pick,
    prefixed,
    words,
)
from flows.world.tally import Laid, Mask, Tally, both, spans
from repatria.batch import Reason

Column: TypeAlias = "pa.Array[Any]"

PREFIX: Final = "profiles/"
ROW_GROUPS: Final = 4
CONTESTED, UNKNOWN = 1, 2
"""Which object the backup holds in another state, and which has people of no known country."""

ORPHANS: Final = 12
LEFT_BEHIND: Final = 7
BROKEN: Final = 40
UNKNOWN_COUNTRIES: Final = (None, None, None, "ZZ", "ZZ", "ie", "de")
EXTRAS: Final = ORPHANS + LEFT_BEHIND + BROKEN + len(UNKNOWN_COUNTRIES)
"""People beyond the users: they have a profile, and never a post or a login."""

_FIRST: Final = words("Aoife Søren Zoë Łukasz Ἀλέξης Björk João Nguyễn 愛子 Mary-Jane O'Brien Ünal")
_LAST: Final = words(
    "Ní Bhriain|Østergård|Müller|García|d'Angelo|Żółć|Þórsdóttir|Smith|王|Πάπας", "|"
)
_INTERESTS: Final = words("sailing chess rye-bread mountains opera 🛶 fado hurling saunas")
_CITIES: Final = words("Baile Átha Cliath|Hamar|København|Łódź|São Paulo|東京|Springfield", "|")
_LOCALES: Final = words("en-IE de-DE fr-FR nb-NO pl-PL en-US pt-BR ja-JP")
_PRONOUNS: Final = words("she/her he/him they/them")
_BORN_US: Final = 1_420_070_400_000_000  # 2015-01-01
_YEAR_US: Final = 31_557_600_000_000


def lay(people: People, tally: Tally) -> Iterator[Laid]:
    """Lay down every object of the dataset, and count what must become of its records."""
    pieces = spans(people.users, least=6, rows_max=100_000)
    for number, (start, stop) in enumerate(pieces):
        grown = number >= len(pieces) * 2 // 3
        key = f"{PREFIX}{2026 if grown else 2023}/part-{number:05d}.parquet"
        numbers = np.arange(start, stop)
        if number == CONTESTED:
            yield _contested(key, people, numbers, tally)
            continue
        rows = rows_of(people, numbers, purpose=number, grown=grown)
        if number == UNKNOWN:
            rows = pa.concat_tables([rows, _unknown(people)])
            tally.waits(Reason.UNKNOWN_COUNTRY, len(UNKNOWN_COUNTRIES))
        tally.rows(people.countries(numbers))
        yield both(key, _parquet(rows))
    yield from _stragglers(people, tally)


def _stragglers(people: People, tally: Tally) -> Iterator[Laid]:
    """Lay down what the backup alone has, and what nobody can read."""
    _, left_behind, broken, _ = _extras(people)
    tally.alone(people.countries(left_behind))
    yield Laid(
        key=f"{PREFIX}2023/left behind + 100%.parquet",
        primary=None,
        backup=_parquet(rows_of(people, left_behind, purpose=1_000_001)),
    )
    tally.failed.append("2023/broken.parquet")
    whole = _parquet(rows_of(people, broken, purpose=1_000_002))
    yield both(f"{PREFIX}2023/broken.parquet", whole[: len(whole) * 2 // 3])


def _contested(key: str, people: People, numbers: Numbers, tally: Tally) -> Laid:
    """Lay down an object whose copy at the backup is in another state."""
    rows = rows_of(people, numbers, purpose=CONTESTED)
    orphans, *_ = _extras(people)
    place = np.arange(len(numbers))
    kept = place % 20 != 7
    older = kept & (place % 17 == 3)
    newer = kept & (place % 101 == 5) & ~older
    conflict = kept & (place % 97 == 11) & ~older & ~newer
    copy = _edited(rows, steps=newer.astype(np.int64) - older, edits=older | newer | conflict)
    lost = rows_of(people, orphans, purpose=1_000_000)
    backup = pa.concat_tables([copy.filter(pa.array(kept)), lost])

    countries = people.countries(numbers)
    tally.rows(countries, superseded=newer, waiting={Reason.CONFLICT: conflict})
    tally.rows(
        countries[kept],
        superseded=~(newer | conflict)[kept],
        waiting={Reason.CONFLICT: conflict[kept]},
    )
    tally.alone(people.countries(orphans))
    return Laid(key=key, primary=_parquet(rows), backup=_parquet(backup))


def _extras(people: People) -> list[Numbers]:
    """Return the people of special use: orphans, left behind, broken, of no known country."""
    numbers = np.arange(people.users, people.users + EXTRAS)
    return np.split(numbers, np.cumsum([ORPHANS, LEFT_BEHIND, BROKEN]))


def _unknown(people: People) -> pa.Table:
    """Return the profiles of people whose country nobody can tell."""
    numbers = _extras(people)[-1]
    rows = rows_of(people, numbers, purpose=1_000_003)
    column = rows.column_names.index("country")
    return rows.set_column(column, "country", pa.array(UNKNOWN_COUNTRIES, pa.string()))


def _edited(rows: pa.Table, steps: Numbers, edits: Mask) -> pa.Table:
    """Return rows with versions moved by ``steps``, and another balance where ``edits`` says."""
    version = pa.array(rows["version"].to_numpy() + steps)
    balance = pc.if_else(
        pa.array(edits), pc.cast(pa.scalar("9999999.99"), rows["balance"].type), rows["balance"]
    )
    for name, column in (("version", version), ("balance", balance)):
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


def rows_of(people: People, numbers: Numbers, *, purpose: int, grown: bool = False) -> pa.Table:
    """Make the profiles of some people."""
    random = people.random(1, purpose)
    count = len(numbers)
    created = _BORN_US + random.integers(0, 8 * _YEAR_US, count)
    names = joined(_some(random, _FIRST, count), " ", _some(random, _LAST, count))
    scores = random.normal(50, 20, count)
    scores[random.random(count) < 0.02] = np.nan
    columns: dict[str, Column] = {
        "user_id": people.ids(numbers),
        "country": country_codes(people.countries(numbers)),
        "name": names,
        "email": joined(prefixed("person.", digits(numbers, 8)), "@example.org"),
        "birth_year": pa.array(random.integers(1935, 2012, count).astype(np.int16)),
        "created_at": pa.array(created, pa.timestamp("us", "UTC")),
        "last_seen": pa.array(
            created + random.integers(0, _YEAR_US, count), pa.timestamp("us", "UTC")
        ),
        "locale": _some(random, _LOCALES, count).dictionary_encode(),
        "interests": _interests(random, count),
        "address": _addresses(random, count),
        "marketing": pa.array(random.random(count) < 0.4, mask=random.random(count) < 0.1),
        "score": pa.array(scores),
        "balance": _cents(random.integers(-500_000, 5_000_000, count)),
        "version": pa.array(random.integers(2, 40, count)),
        "avatar": _avatars(random, count),
    }
    if grown:
        columns["pronouns"] = _some(random, _PRONOUNS, count)
    return pa.table(columns).replace_schema_metadata({"written-by": "acme accounts 4.2"})


def _some(random: np.random.Generator, of: tuple[str, ...], count: int) -> Texts:
    return pick(of, random.integers(0, len(of), count))


def _interests(random: np.random.Generator, count: int) -> Column:
    offsets = np.concatenate([[0], np.cumsum(random.integers(0, 4, count))]).astype(np.int32)
    lists: Column = pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), _some(random, _INTERESTS, int(offsets[-1]))
    )
    return lists


def _addresses(random: np.random.Generator, count: int) -> Column:
    """Make addresses; some people have none, and some an address without a postcode."""
    postcode = prefixed("", digits(random.integers(0, 100_000, count), 5))
    known = pc.if_else(pa.array(random.random(count) < 0.9), postcode, pa.scalar(None, pa.string()))
    parts = [_some(random, _CITIES, count), known]
    missing = pa.array(random.random(count) < 0.05)
    return pa.StructArray.from_arrays(parts, names=["city", "postcode"], mask=missing)


def _avatars(random: np.random.Generator, count: int) -> Column:
    """Make small digests of pictures, sixteen bytes each, of which many people have none."""
    raw = pa.py_buffer(random.bytes(16 * count))
    whole = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, raw])
    some: Column = pc.if_else(
        pa.array(random.random(count) < 0.5), whole, pa.scalar(None, pa.binary(16))
    )
    return some


def _cents(cents: Numbers) -> Column:
    """Return amounts of money: 128-bit little-endian integers are what a decimal is."""
    words = np.stack([cents, cents >> 63], axis=1)
    return pa.Array.from_buffers(
        pa.decimal128(12, 2), len(cents), [None, pa.py_buffer(words.tobytes())]
    )


def _parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    group = max(1, -(-rows.num_rows // ROW_GROUPS))
    pq.write_table(rows, sink, row_group_size=group, compression="snappy", write_page_checksum=True)
    return sink.getvalue()
