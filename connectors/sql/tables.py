"""The tables of the ledger. They hold batches, stripes and decisions; never one row per record.

A change here needs a migration: a test holds the two together. Text compares by its bytes in
every database, so that pages follow each other in the order that Python knows. A receipt is
an account, its lines and what waits. Of a slice and ordinal one version stands: the database
itself refuses a second. ``counts`` marks the lines that totals add up: those of a home.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)

TEXT: Final = String().with_variant(String(collation="C"), "postgresql")
NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")


class Utc(TypeDecorator[datetime]):
    """A time in UTC, as ISO 8601 text: no database gets to have its own idea of zones."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a time names its zone"
        return value.astimezone(UTC).isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


metadata: Final = MetaData()


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, NUMBER, primary_key=key, nullable=null, autoincrement=False)


def _growing(name: str) -> Column[int]:
    """Return a key that only grows, deleted rows included."""
    return Column(name, NUMBER, primary_key=True, autoincrement=True)


def _bytes(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _batch(*, key: bool = False) -> Column[int]:
    return Column("batch", NUMBER, ForeignKey("accounts.id"), primary_key=key, nullable=False)


about = Table("about", metadata, _text("name", key=True), _text("value"))
configs = Table("configs", metadata, _text("digest", key=True), _text("text"))
cuttings = Table("cuttings", metadata, _text("dataset", key=True), _text("text"))

plans = Table(
    "plans",
    metadata,
    _text("digest", key=True),
    _number("saved"),
    _text("body"),
    _text("estimates"),
    Column("made_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

stripes = Table(
    "stripes",
    metadata,
    _text("plan", key=True),
    _number("number", key=True),
    _text("dataset"),
    _bytes("body"),
)

finished = Table("finished", metadata, _text("plan", key=True), _number("number", key=True))

leases = Table(
    "leases",
    metadata,
    _text("name", key=True),
    _text("holder", null=True),
    _number("fence"),
    _number("beat"),
)

marks = Table("marks", metadata, _text("writer", key=True), _number("number"))

accounts = Table(
    "accounts",
    metadata,
    _growing("id"),
    _text("slice"),
    _number("ordinal"),
    _text("version"),
    _text("dataset"),
    _text("site"),
    _text("label"),
    _flag("last"),
    _number("read"),
    _text("census"),
    _number("erased"),
    _number("superseded"),
    _number("quarantined"),
    _text("decisions"),
    _number("bytes_read"),
    _flag("reopened"),
    UniqueConstraint("slice", "ordinal", name="accounts_batch"),
    sqlite_autoincrement=True,
)

lines = Table(
    "lines",
    metadata,
    _batch(key=True),
    _text("region", key=True),
    _text("site", key=True),
    _number("place"),
    _flag("counts"),
    _number("rows"),
    _bytes("key"),
    _number("size"),
    _text("etag"),
    _text("version", null=True),
    _text("sha256"),
    _text("digest"),
    _number("replaced"),
    _text("merkle", null=True),
    sqlite_with_rowid=False,
)

waiting = Table(
    "waiting",
    metadata,
    _growing("id"),
    _batch(),
    _text("reason"),
    _text("region"),
    _number("place"),
    _number("rows"),
    _bytes("positions"),
    _text("kept_site", null=True),
    _bytes("kept_key", null=True),
    _number("kept_size", null=True),
    _text("kept_etag", null=True),
    _text("kept_version", null=True),
    _text("verdict"),
    _text("decided_by", null=True),
    _text("why", null=True),
    UniqueConstraint("batch", "reason", "region", name="waiting_entry"),
    sqlite_autoincrement=True,
)

rulings = Table(
    "rulings",
    metadata,
    _text("dataset", key=True),
    _text("reason", key=True),
    _text("verdict"),
    _text("decided_by"),
)

failures = Table(
    "failures",
    metadata,
    _text("slice", key=True),
    _text("version", key=True),
    _number("attempts"),
    _text("dataset", null=True),
    _text("site", null=True),
    _text("label", null=True),
    _text("kind", null=True),
    _text("why", null=True),
)

runs = Table(
    "runs",
    metadata,
    _growing("number"),
    _text("id"),
    _text("verb"),
    _text("mode"),
    _text("plan", null=True),
    _text("config_digest"),
    Column("began_at", Utc, nullable=False),
    Column("ended_at", Utc, nullable=True),
    _text("state"),
    _text("summary"),
    UniqueConstraint("id", name="runs_id"),
    sqlite_autoincrement=True,
)

comparisons = Table(
    "comparisons",
    metadata,
    _text("run", key=True),
    _text("slice", key=True),
    _number("ordinal", key=True),
    _text("version", key=True),
    _text("region", key=True),
    _text("dataset"),
    _number("matched"),
    _number("missing"),
    _number("extra"),
    _number("altered"),
    _number("unverified"),
    _text("why"),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    _growing("id"),
    _bytes("digest"),
    _bytes("body"),
    UniqueConstraint("digest", name="outbox_digest"),
    sqlite_autoincrement=True,
)
