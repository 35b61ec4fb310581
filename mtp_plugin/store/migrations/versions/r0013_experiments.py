"""Experiments written in the console."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "mtp_experiment_change",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", WORDS, nullable=False),
        sa.Column(
            "options", sa.Text(), nullable=False,
            comment="an entry as in MTP_EXPERIMENTS and whether it is a draft, as JSON",
        ),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("changed_by", WORDS, nullable=False),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("mtp_experiment_change_name", "mtp_experiment_change", ["name", "id"])
