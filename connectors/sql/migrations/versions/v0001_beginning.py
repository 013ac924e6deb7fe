"""The first schema of the ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    _plans()
    _work()
    _receipts()
    _quarantine()
    _history()


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def _text(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [_column(name, _TEXT, null=null) for name in names]


def _numbers(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [_column(name, _NUMBER, null=null) for name in names]


def _bytes(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [_column(name, sa.LargeBinary(), null=null) for name in names]


def _flags(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, sa.Boolean(), null=False) for name in names]


def _growing(name: str) -> sa.Column[Any]:
    return sa.Column(name, _NUMBER, primary_key=True, autoincrement=True)


def _key(*names: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*names)


def _of_batch() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["batch"], ["accounts.id"])


def _plans() -> None:
    op.create_table("about", *_text("name", "value"), _key("name"))
    op.create_table("configs", *_text("digest", "text"), _key("digest"))
    op.create_table("cuttings", *_text("dataset", "text"), _key("dataset"))
    op.create_table(
        "plans",
        *_text("digest"),
        *_numbers("saved"),
        *_text("body", "estimates", "made_at", "expires_at"),
        _key("digest"),
    )
    op.create_table(
        "stripes",
        *_text("plan"),
        *_numbers("number"),
        *_text("dataset"),
        *_bytes("body"),
        _key("plan", "number"),
    )


def _work() -> None:
    op.create_table("finished", *_text("plan"), *_numbers("number"), _key("plan", "number"))
    op.create_table(
        "leases",
        *_text("name"),
        *_text("holder", null=True),
        *_numbers("fence", "beat"),
        _key("name"),
    )
    op.create_table(
        "failures",
        *_text("slice", "version"),
        *_numbers("attempts"),
        *_text("dataset", "site", "label", "kind", "why", null=True),
        _key("slice", "version"),
    )


def _receipts() -> None:
    op.create_table(
        "accounts",
        _growing("id"),
        *_text("slice"),
        *_numbers("ordinal"),
        *_text("version", "dataset", "site", "label"),
        *_flags("last"),
        *_numbers("read"),
        *_text("census"),
        *_numbers("erased", "superseded", "quarantined"),
        *_text("decisions"),
        *_numbers("bytes_read"),
        *_flags("reopened"),
        sa.UniqueConstraint("slice", "ordinal", name="accounts_batch"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lines",
        *_numbers("batch"),
        *_text("region", "site"),
        *_numbers("place"),
        *_flags("counts"),
        *_numbers("rows"),
        *_bytes("key"),
        *_numbers("size"),
        *_text("etag"),
        *_text("version", null=True),
        *_text("sha256", "digest"),
        *_numbers("replaced"),
        _key("batch", "region", "site"),
        _of_batch(),
        sqlite_with_rowid=False,
    )


def _quarantine() -> None:
    op.create_table(
        "waiting",
        _growing("id"),
        *_numbers("batch"),
        *_text("reason", "region"),
        *_numbers("place", "rows"),
        *_bytes("positions"),
        *_text("kept_site", null=True),
        *_bytes("kept_key", null=True),
        *_numbers("kept_size", null=True),
        *_text("kept_etag", "kept_version", null=True),
        *_text("verdict"),
        *_text("decided_by", "why", null=True),
        _of_batch(),
        sa.UniqueConstraint("batch", "reason", "region", name="waiting_entry"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rulings",
        *_text("dataset", "reason", "verdict", "decided_by"),
        _key("dataset", "reason"),
    )


def _history() -> None:
    op.create_table(
        "runs",
        _growing("number"),
        *_text("id", "verb", "mode"),
        *_text("plan", null=True),
        *_text("config_digest", "began_at"),
        *_text("ended_at", null=True),
        *_text("state", "summary"),
        sa.UniqueConstraint("id", name="runs_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "comparisons",
        *_text("run", "slice"),
        *_numbers("ordinal"),
        *_text("version", "region", "dataset"),
        *_numbers("matched", "missing", "extra", "altered", "unverified"),
        *_text("why"),
        _key("run", "slice", "ordinal", "version", "region"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        _growing("id"),
        *_bytes("digest", "body"),
        sa.UniqueConstraint("digest", name="outbox_digest"),
        sqlite_autoincrement=True,
    )
