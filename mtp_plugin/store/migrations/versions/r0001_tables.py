"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _visitors()
    _catalog()
    _slates()
    _operation()


def _visitors() -> None:
    op.create_table(
        "mtp_event",
        sa.Column("seq", NUMBER, primary_key=True, comment="order of arrival"),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("profile_id", WORDS, nullable=False),
        sa.Column("happened_at", sa.Double(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("permanent", sa.Boolean(), nullable=False, comment="de-duplicated for ever by event_id"),
        sa.Column("body", sa.Text(), nullable=False, comment="all else as JSON"),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_event_profile", "mtp_event", ["profile_id", "seq"])
    only = sa.text("permanent")
    op.create_index(
        "mtp_event_permanent", "mtp_event", ["event_id"], unique=True, postgresql_where=only, sqlite_where=only
    )
    op.create_table(
        "mtp_profile",
        sa.Column("profile_id", WORDS, primary_key=True),
        sa.Column("last_seq", NUMBER, nullable=False, comment="last event folded; 0 is a row that only locks"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="records.Profile as MessagePack"),
    )
    op.create_table(
        "mtp_message_seen",
        sa.Column("bucket", NUMBER, primary_key=True, autoincrement=False, comment="received_at in windows"),
        sa.Column("key", sa.LargeBinary(16), primary_key=True, comment="hash of Event.dedupe_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mtp_consent",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("subject_id", WORDS, nullable=False),
        sa.Column("purpose", WORDS, nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("policy_version", WORDS, nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.Column("source", WORDS, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_consent_subject", "mtp_consent", ["subject_id", "id"])


def _catalog() -> None:
    op.create_table(
        "mtp_product",
        sa.Column("product_id", WORDS, primary_key=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("stock", NUMBER),
        sa.Column("body", sa.Text(), nullable=False, comment="records.Product as JSON, without hidden and stock"),
    )
    version = op.create_table(
        "mtp_catalog_version",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", NUMBER, nullable=False),
    )
    op.bulk_insert(version, [{"id": 1, "version": 0}])


def _slates() -> None:
    op.create_table(
        "mtp_slate",
        sa.Column("recommendation_id", WORDS, primary_key=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("placement", WORDS, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="records.SlateEntry as MessagePack"),
    )
    op.create_index("ix_mtp_slate_created_at", "mtp_slate", ["created_at"])
    op.create_table(
        "mtp_slate_profile",
        sa.Column("profile_id", WORDS, primary_key=True),
        sa.Column(
            "recommendation_id",
            WORDS,
            sa.ForeignKey("mtp_slate.recommendation_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mtp_slate_profile_recommendation_id", "mtp_slate_profile", ["recommendation_id"])


def _operation() -> None:
    op.create_table(
        "mtp_lease",
        sa.Column("name", WORDS, primary_key=True),
        sa.Column("holder", WORDS, nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )
    op.create_table(
        "mtp_job_run",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_job_run_name", "mtp_job_run", ["name", "id"])
    op.create_table(
        "mtp_bundle_switch",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("version", WORDS, nullable=False),
        sa.Column("switched_at", sa.Double(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_bundle_switch_kind", "mtp_bundle_switch", ["kind", "id"])
