"""The Merkle root of a parcel's record digests, where it is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Give each line room for it."""
    op.add_column("lines", sa.Column("merkle", _TEXT, nullable=True))
