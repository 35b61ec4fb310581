"""What bandits have learnt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mtp_bandit_sum",
        sa.Column("policy", WORDS, primary_key=True),
        sa.Column("segment_id", WORDS, primary_key=True),
        sa.Column("arm", WORDS, primary_key=True),
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False, comment="days since 1970 in UTC"),
        sa.Column("cell", sa.Integer(), primary_key=True, autoincrement=False, comment="what was summed up"),
        sa.Column("value", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    version = op.create_table(
        "mtp_bandit_version",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", NUMBER, nullable=False),
    )
    op.bulk_insert(version, [{"id": 1, "version": 0}])
