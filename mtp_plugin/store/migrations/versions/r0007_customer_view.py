"""Identity links, merges, webhooks received and deliveries going out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _identity()
    _webhooks()
    _sources()
    _forwarding()


def _identity() -> None:
    op.create_table(
        "mtp_identity_link",
        sa.Column("link_id", NUMBER, primary_key=True),
        sa.Column("left_node", WORDS, nullable=False),
        sa.Column("right_node", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False, comment="what it rests on, as JSON"),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_identity_link_pair", "mtp_identity_link", ["left_node", "right_node", "kind"], unique=True)
    op.create_index("mtp_identity_link_right", "mtp_identity_link", ["right_node"])
    op.create_index("mtp_identity_link_state", "mtp_identity_link", ["state", "link_id"])
    op.create_table(
        "mtp_identity_entry",
        sa.Column("entry_id", NUMBER, primary_key=True),
        sa.Column("link_id", NUMBER, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("actor", WORDS, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_identity_entry_link", "mtp_identity_entry", ["link_id", "entry_id"])
    op.create_table(
        "mtp_identity_member",
        sa.Column("node", WORDS, primary_key=True),
        sa.Column("cluster", WORDS, nullable=False, comment="the first of its nodes by name"),
        sa.Column("shared", sa.Boolean(), nullable=False, comment="used by several people: it tells of none"),
        sa.Column("since", sa.Double(), nullable=False, comment="when it was first linked"),
    )
    op.create_index("ix_mtp_identity_member_cluster", "mtp_identity_member", ["cluster"])


def _webhooks() -> None:
    op.create_table(
        "mtp_webhook",
        sa.Column("webhook_id", NUMBER, primary_key=True),
        sa.Column("source", WORDS, nullable=False),
        sa.Column("topic", WORDS, nullable=False),
        sa.Column("delivery_id", WORDS, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, comment="of topic and body"),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("profile_id", WORDS, comment="whom it speaks of"),
        sa.Column("body", sa.LargeBinary(), comment="as received; empty once it is old or has acted"),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_webhook_delivery", "mtp_webhook", ["source", "delivery_id"], unique=True)
    op.create_index("mtp_webhook_digest", "mtp_webhook", ["source", "digest"], unique=True)
    op.create_index("mtp_webhook_due", "mtp_webhook", ["state", "next_try_at"])
    op.create_index("mtp_webhook_profile", "mtp_webhook", ["profile_id"])


def _sources() -> None:
    op.create_table(
        "mtp_cursor",
        sa.Column("name", WORDS, primary_key=True),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.Double(), nullable=False),
    )
    op.create_table(
        "mtp_open_cart",
        sa.Column("profile_id", WORDS, primary_key=True),
        sa.Column("touched_at", sa.Double(), nullable=False),
    )
    op.create_index("ix_mtp_open_cart_touched_at", "mtp_open_cart", ["touched_at"])


def _forwarding() -> None:
    op.create_table(
        "mtp_forward_target",
        sa.Column("name", WORDS, primary_key=True),
        sa.Column("seq", NUMBER, nullable=False, comment="the last event that was dealt with"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=False),
        sa.Column("sent", NUMBER, nullable=False),
        sa.Column("withheld", NUMBER, nullable=False, comment="not sent for want of permission"),
        sa.Column("error", sa.Text(), nullable=False),
    )
    op.create_table(
        "mtp_forward_dead",
        sa.Column("dead_id", NUMBER, primary_key=True),
        sa.Column("target", WORDS, nullable=False),
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("profile_id", WORDS, nullable=False),
        sa.Column("refused_at", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mtp_forward_dead_profile_id", "mtp_forward_dead", ["profile_id"])
    op.create_index("mtp_forward_dead_target", "mtp_forward_dead", ["target", "dead_id"])
