"""A second opinion on the synthetic world: row by row, in plain Python, from the bytes alone."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from flows.world.tally import Laid
from repatria.batch import Reason
from repatria.countries import COUNTRIES, READY_MADE

EUROPE = frozenset(country for name in READY_MADE for country in READY_MADE[name])
IDENTITY = {"profiles": ("user_id",), "posts": ("post_id",), "logins": ("user_id", "at")}

Row = dict[str, object]


@dataclass
class Account:
    """What an oracle counted."""

    read: int = 0
    stayed: int = 0
    superseded: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    waiting: Counter[Reason] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


def text_records(body: bytes) -> Iterator[Row | Reason]:
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            said = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            yield Reason.ENCODING
        except ValueError:
            yield Reason.MALFORMED
        else:
            yield said if isinstance(said, dict) else Reason.MALFORMED


def csv_records(body: bytes) -> Iterator[Row | Reason]:
    header, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    for row in rows:
        yield (
            dict(zip(header, row, strict=True))
            if len(row) == len(header)
            else (Reason.WRONG_COLUMNS)
        )


def records(key: str, body: bytes) -> list[Row | Reason] | None:
    """Read an object; None where it cannot be read."""
    if ".parquet" in key:
        try:
            return [*pq.read_table(io.BytesIO(body)).to_pylist()]
        except pa.ArrowInvalid:
            return None
    if key.startswith("posts/"):
        return [*text_records(gzip.decompress(body) if key.endswith(".gz") else body)]
    return [*csv_records(body)]


class Oracle:
    """Knows the rules of the house by heart, and nothing of how the world was made."""

    def __init__(self, objects: Sequence[Laid]) -> None:
        self.objects = [laid for laid in objects if not laid.key.endswith("/")]
        self.country: dict[object, object] = {}
        for laid in self._of("profiles"):
            for body in (laid.primary, laid.backup):
                for row in (body and records(laid.key, body)) or ():
                    assert isinstance(row, dict)
                    self.country[row["user_id"]] = row["country"]

    def _of(self, dataset: str) -> list[Laid]:
        return [laid for laid in self.objects if laid.key.startswith(f"{dataset}/")]

    def account(self, dataset: str) -> Account:
        """Read everything that must be read, and settle it row by row."""
        account = Account()
        primary: list[Row | Reason] = []
        backup: list[Row | Reason] = []
        for laid in self._of(dataset):
            if laid.primary is not None:
                found = records(laid.key, laid.primary)
                primary += found or []
                if found is None:
                    account.failed.append(laid.key.removeprefix(f"{dataset}/"))
            if laid.backup is not None and laid.backup != laid.primary:
                backup += records(laid.key, laid.backup) or []
        held, rival = _grouped(dataset, primary), _grouped(dataset, backup)
        for row in primary:
            self._settle(account, row, _of_primary(row, rival.get(_name(dataset, row), [])))
        for row in backup:
            self._settle(account, row, _of_backup(row, held.get(_name(dataset, row), [])))
        return account

    def _settle(self, account: Account, row: Row | Reason, standing: str) -> None:
        account.read += 1
        if isinstance(row, Reason):
            account.waiting[row] += 1
            return
        user = row["user_id"]
        country = self.country.get(user)
        if country in COUNTRIES and country not in EUROPE:
            account.stayed += 1
        elif standing == "superseded":
            account.superseded += 1
        elif standing in ("conflict", "orphan"):
            account.waiting[Reason(standing)] += 1
        elif country in EUROPE:
            account.moved[str(country)] += 1
        else:
            unknown = Reason.UNKNOWN_COUNTRY if "country" in row else Reason.UNKNOWN_USER
            account.waiting[unknown] += 1


def _name(dataset: str, row: Row | Reason) -> tuple[object, ...]:
    return () if isinstance(row, Reason) else tuple(row[column] for column in IDENTITY[dataset])


def _grouped(dataset: str, rows: Iterable[Row | Reason]) -> dict[tuple[object, ...], list[Row]]:
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if not isinstance(row, Reason):
            groups[_name(dataset, row)].append(row)
    return groups


def _version(row: Row | Reason) -> int:
    version = row.get("version", 0) if isinstance(row, dict) else 0
    assert isinstance(version, int)
    return version


def _of_primary(row: Row | Reason, others: list[Row]) -> str:
    if any(_version(other) > _version(row) for other in others):
        return "superseded"
    return "conflict" if _differs(row, others) else "wins"


def _of_backup(row: Row | Reason, others: list[Row]) -> str:
    if isinstance(row, Reason):
        return "wins"
    if not others:
        return "orphan"
    if _version(row) > max(_version(other) for other in others):
        return "wins"
    return "conflict" if _differs(row, others) else "superseded"


def _differs(row: Row | Reason, others: list[Row]) -> bool:
    """Whether there is a copy of equal version and other content (``repr``: NaN equals NaN)."""
    return (
        isinstance(row, dict)
        and "version" in row
        and any(_version(it) == _version(row) and repr(it) != repr(row) for it in others)
    )
