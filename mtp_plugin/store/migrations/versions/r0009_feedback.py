"""What came of slates, and what of a slate is counted by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 500


def upgrade() -> None:
    op.create_table(
        "mtp_outcome",
        sa.Column(
            "number", NUMBER, primary_key=True, comment="in order of being found; none is written before a lesser one"
        ),
        sa.Column("outcome_id", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("recommendation_id", WORDS, nullable=False),
        sa.Column("profile_id", WORDS, nullable=False),
        sa.Column("at", sa.Double(), nullable=False, comment="when it happened"),
        sa.Column("product_id", WORDS, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column(
            "value", sa.Double(), nullable=False, comment="in the shop's currency, negative for what was taken back"
        ),
        sa.Column("margin", sa.Double(), nullable=False, comment="what of the value was earned"),
        sa.Column("order_id", WORDS, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_outcome_id", "mtp_outcome", ["outcome_id"], unique=True)
    op.create_index("mtp_outcome_recommendation", "mtp_outcome", ["recommendation_id"])
    op.create_index("mtp_outcome_profile", "mtp_outcome", ["profile_id"])
    op.create_index("mtp_outcome_at", "mtp_outcome", ["at"])
    for column in _columns():
        op.add_column("mtp_slate", column)
    _fill(op.get_bind())


def _columns() -> list[sa.Column[Any]]:
    def words(name: str) -> sa.Column[Any]:
        return sa.Column(name, WORDS, nullable=False, server_default="")

    def number(name: str, kind: Any, comment: str | None = None) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=False, server_default="0", comment=comment)

    def listed(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.Text(), nullable=False, server_default="[]", comment=comment)

    return [
        words("strategy"),
        words("segment_id"),
        words("consent_level"),
        words("device"),
        number("fallback_level", sa.Integer()),
        number("took_us", NUMBER, "without asking the shop"),
        number("items", sa.Integer(), "products in it"),
        words("model_version"),
        listed("choices", "JSON: policy, about, arm, position of each"),
        listed("experiments", "JSON: experiment and variation of each"),
    ]


def _fill(connection: sa.Connection) -> None:
    """Slates from before get the columns from their bodies; one in a form that nobody reads keeps them empty."""
    names = ("strategy", "segment_id", "consent_level", "device", "fallback_level", "took_us", "items", "model_version")
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name) for name in ("recommendation_id", "body", *names, "experiments")
    ]
    slate = sa.table("mtp_slate", *columns)
    update = sa.update(slate).where(slate.c.recommendation_id == sa.bindparam("at"))
    update = update.values({name: sa.bindparam(f"new_{name}") for name in (*names, "experiments")})
    last = ""
    while True:
        query = sa.select(slate.c.recommendation_id, slate.c.body).where(slate.c.recommendation_id > last)
        rows = connection.execute(query.order_by(slate.c.recommendation_id).limit(BATCH)).all()
        if not rows:
            return
        last = rows[-1].recommendation_id
        found = [{"at": row.recommendation_id, **values} for row in rows if (values := _values(row.body))]
        if found:
            connection.execute(update, found)


def _values(body: bytes) -> dict[str, Any]:
    try:
        entry = msgspec.msgpack.decode(body)
        slate: Mapping[str, Any] = entry["slate"]
        segment = slate["segment"]
        return {
            "new_strategy": slate["strategy"],
            "new_segment_id": segment["segment_id"] if segment else "",
            "new_consent_level": slate["consent_level"],
            "new_device": entry["request"]["context"].get("device", ""),
            "new_fallback_level": slate["fallback_level"],
            "new_took_us": slate["took_us"],
            "new_items": len(slate["items"]),
            "new_model_version": slate["model_version"],
            "new_experiments": json.dumps(entry.get("exposures", []), separators=(",", ":")),
        }
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return {}
