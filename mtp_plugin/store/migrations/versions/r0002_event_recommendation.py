"""Events are found by the slate they came from; until now its id was only inside their bodies."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 5000


def upgrade() -> None:
    op.add_column("mtp_event", sa.Column("recommendation_id", WORDS, comment="the slate it came from"))
    _fill(op.get_bind())
    only = sa.text("recommendation_id IS NOT NULL")
    op.create_index(
        "mtp_event_recommendation", "mtp_event", ["recommendation_id"], postgresql_where=only, sqlite_where=only
    )


def _fill(connection: sa.Connection) -> None:
    event = sa.table("mtp_event", sa.column("seq"), sa.column("body"), sa.column("recommendation_id"))
    named = event.c.body.like('%"recommendation_id"%')
    last = 0
    while True:
        query = sa.select(event.c.seq, event.c.body).where(event.c.seq > last, named).order_by(event.c.seq).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].seq
        found = [{"at": row.seq, "slate": json.loads(row.body).get("recommendation_id")} for row in rows]
        update = sa.update(event).where(event.c.seq == sa.bindparam("at"))
        connection.execute(update.values(recommendation_id=sa.bindparam("slate", type_=sa.Text())), found)
