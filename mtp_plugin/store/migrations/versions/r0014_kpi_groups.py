"""Key figures: days by each dimension alone, slates that are not counted yet, outcomes by order.

The next count is a first one: of all slates that there are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SUMS = (
    "slates", "empty", "fallback", *(f"took_{place}" for place in range(9)), "seen", "clicked", "clicks", "carts",
    "purchases", "orders", "revenue", "margin", "refunds",
)  # fmt: skip
OWED = "order_id <> ''"


def upgrade() -> None:
    op.create_table(
        "mtp_kpi_group",
        sa.Column("dimension", WORDS, primary_key=True, comment="what days are divided by; '' for not at all"),
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False, comment="ordinal of the shop's day"),
        sa.Column("key", WORDS, primary_key=True),
        *(sa.Column(one, sa.Double(), nullable=False) for one in SUMS),
        sa.Column("known", sa.Integer(), nullable=False, server_default="0", comment="bits of people"),
        sa.Column("people", sa.LargeBinary(), comment="which of 2,048 hashes the known visitors of a segment have"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mtp_kpi_new",
        sa.Column(
            "recommendation_id",
            WORDS,
            sa.ForeignKey("mtp_slate.recommendation_id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
            primary_key=True,
            comment="a slate that is not counted yet",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "mtp_outcome_order", "mtp_outcome", ["order_id"], postgresql_where=sa.text(OWED), sqlite_where=sa.text(OWED)
    )
    op.execute("DELETE FROM mtp_cursor WHERE name = 'kpi'")
