"""Profiles written while Redis could not be told, so that their copies there are thrown away when it is back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mtp_stale_profile",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("profile_id", WORDS, nullable=False, comment="its copy in Redis may be behind"),
        sqlite_autoincrement=True,
    )
