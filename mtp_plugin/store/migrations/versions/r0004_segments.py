"""Segments made by hand, names the merchant gave, members at the last refresh, and the history of refreshes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mtp_segment_made",
        sa.Column("segment_id", WORDS, primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False, comment="as JSON"),
        sa.Column("precedence", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("size", NUMBER, comment="visitors when they were counted"),
        sa.Column("counted_at", sa.Double(), nullable=False),
    )
    op.create_table(
        "mtp_segment_name",
        sa.Column("segment_id", WORDS, primary_key=True),
        sa.Column("name", sa.Text(), nullable=False, comment="given by the merchant to a segment that was found"),
    )
    version = op.create_table(
        "mtp_segment_version",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", NUMBER, nullable=False),
    )
    op.bulk_insert(version, [{"id": 1, "version": 0}])
    op.create_table(
        "mtp_segment_member",
        sa.Column("profile_id", WORDS, primary_key=True),
        sa.Column("segment_id", WORDS, nullable=False, comment="at the last refresh"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mtp_segment_refresh",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("refreshed_at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="ports.SegmentRefresh as JSON"),
        sqlite_autoincrement=True,
    )
