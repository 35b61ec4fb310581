"""Alerts: hours that they are found in, alerts, silences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SUMS = ("slates", "empty", "fallback", "slow", "seen", "clicks", "carts", "purchases", "revenue")


def upgrade() -> None:
    op.create_table(
        "mtp_alert_hour",
        sa.Column("hour", sa.Integer(), primary_key=True, autoincrement=False, comment="hours since 1970 in UTC"),
        sa.Column("placement", WORDS, primary_key=True),
        sa.Column("segment_id", WORDS, primary_key=True),
        *(sa.Column(name, sa.Double(), nullable=False) for name in SUMS),
    )
    op.create_table(
        "mtp_alert",
        sa.Column("alert_id", NUMBER, primary_key=True),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("resolved_at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="all else as JSON"),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_alert_state", "mtp_alert", ["state", "alert_id"])
    op.create_table(
        "mtp_alert_silence",
        sa.Column("key", WORDS, primary_key=True),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("by", WORDS, nullable=False),
    )
