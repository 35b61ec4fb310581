"""Consent with proof, the audit log, requests of data subjects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _consent()
    _audit()
    _subjects()


def _subjects() -> None:
    op.create_table(
        "mtp_subject_request",
        sa.Column("request_id", WORDS, primary_key=True),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False, comment="keyed hash of the visitor"),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("requested_at", sa.Double(), nullable=False),
        sa.Column("profile_ids", sa.Text(), nullable=False, comment="JSON; empty once all is done"),
        sa.Column("steps", sa.Text(), nullable=False, comment="JSON: what each step did"),
        sa.Column("finished_at", sa.Double(), nullable=False, comment="0 while steps are left"),
    )
    op.create_index("ix_mtp_subject_request_subject", "mtp_subject_request", ["subject"])
    op.create_table(
        "mtp_suppression",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("subject", WORDS, nullable=False, comment="keyed hash of the visitor"),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("mtp_suppression_subject", "mtp_suppression", ["subject", "kind"], unique=True)
    op.create_table(
        "mtp_privacy_report",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON without personal data"),
        sqlite_autoincrement=True,
    )


def _consent() -> None:
    for name, comment in (
        ("status", "granted, denied or revoked"),
        ("proof", "what the choice rests on"),
        ("regime", "that held where the visitor was"),
    ):
        op.add_column("mtp_consent", sa.Column(name, WORDS, nullable=False, server_default="", comment=comment))


def _audit() -> None:
    op.create_table(
        "mtp_audit",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False, comment="1, 2, 3, ... without gaps"),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("action", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("details", sa.Text(), nullable=False, comment="JSON without personal data"),
        sa.Column("key_id", WORDS, nullable=False),
        sa.Column("previous", WORDS, nullable=False, comment="seal of the entry before"),
        sa.Column("seal", WORDS, nullable=False),
    )
    op.create_index("mtp_audit_subject", "mtp_audit", ["subject", "number"])
    head = op.create_table(
        "mtp_audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("seal", WORDS, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "seal": "0" * 64}])
