"""Key figures: products of slates, told apart by hash, and those that are new; visits and views of the whole shop.

The next count is a first one: of all slates that there are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    said = "kpi.sketch.product_hash of each product"
    op.add_column("mtp_slate", sa.Column("products", sa.LargeBinary(), comment=said))
    for name in ("mtp_kpi", "mtp_kpi_experiment", "mtp_kpi_position", "mtp_kpi_group"):
        for sums in ("shown", "fresh"):
            op.add_column(name, sa.Column(sums, sa.Double(), nullable=False, server_default="0"))
    op.create_table(
        "mtp_kpi_sketch",
        sa.Column("dimension", WORDS, primary_key=True),
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("key", WORDS, primary_key=True),
        sa.Column("registers", sa.LargeBinary(), nullable=False, comment="kpi.sketch of the products shown"),
        sqlite_with_rowid=False,
    )
    # Coverage and novelty of mtp_kpi_shop stay, unused: workers of the version before still write them.
    for name, counted in (("visits", "visitors, each once a day"), ("views", "products viewed")):
        more: sa.Column[float] = sa.Column(name, sa.Double(), nullable=False, server_default="0", comment=counted)
        op.add_column("mtp_kpi_shop", more)
    op.execute("DELETE FROM mtp_cursor WHERE name = 'kpi'")
