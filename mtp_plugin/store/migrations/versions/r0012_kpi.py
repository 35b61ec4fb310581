"""Key figures: hours and days of slates by what they were, by experiment, by position; and what the whole shop sold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SUMS = (
    "slates", "empty", "fallback", *(f"took_{place}" for place in range(9)), "seen", "clicked", "clicks", "carts",
    "purchases", "orders", "revenue", "margin", "refunds",
)  # fmt: skip
CUBES = {
    "mtp_kpi": ("placement", "strategy", "segment_id", "device", "consent_level"),
    "mtp_kpi_experiment": ("experiment", "variation"),
    "mtp_kpi_position": ("placement", "position"),
}
ORDERS = "name IN ('Order Completed', 'Order Refunded', 'Order Cancelled')"


def upgrade() -> None:
    for name, parts in CUBES.items():
        op.create_table(
            name,
            sa.Column("span", sa.Integer(), primary_key=True, autoincrement=False, comment="0 an hour, 1 a day"),
            sa.Column(
                "at", sa.Integer(), primary_key=True, autoincrement=False,
                comment="hours since 1970 in UTC, or the ordinal of the shop's day",
            ),
            *(sa.Column(part, WORDS, primary_key=True) for part in parts),
            *(sa.Column(one, sa.Double(), nullable=False) for one in SUMS),
            sa.Column("known", sa.Integer(), nullable=False, server_default="0", comment="bits of people"),
            sa.Column("people", sa.LargeBinary(), comment="which of 2,048 hashes its known visitors have"),
        )  # fmt: skip
    op.create_table(
        "mtp_kpi_dirty",
        sa.Column("hour", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double(), nullable=False, comment="when it was marked"),
    )
    op.create_table(
        "mtp_kpi_shop",
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False, comment="ordinal of the shop's day"),
        sa.Column("orders", sa.Double(), nullable=False),
        sa.Column("revenue", sa.Double(), nullable=False),
        sa.Column("refunds", sa.Double(), nullable=False),
        sa.Column("coverage", sa.Double(), comment="share of the products shown, once the day is over"),
        sa.Column("novelty", sa.Double(), comment="share of new products in what was shown"),
        sa.Column("gini", sa.Double(), comment="how unevenly products were shown"),
    )
    op.create_index(
        "mtp_event_order", "mtp_event", ["happened_at"], postgresql_where=sa.text(ORDERS), sqlite_where=sa.text(ORDERS)
    )
