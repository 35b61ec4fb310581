"""What was changed about placements in the console."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mtp_placement_change",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("options", sa.Text(), nullable=False, comment="what differs from the code, as JSON"),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("changed_by", WORDS, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_placement_change_name", "mtp_placement_change", ["name", "id"])
