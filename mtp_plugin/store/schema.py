"""The tables, as SQLAlchemy Core knows them. How they came about is in ``migrations``; a test keeps both the same.

All names begin with ``mtp_``: the tables may live in the shop's own database. Text compares by code point on every
database. Times are seconds since 1970 in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from ..kpi.measures import SUMS

metadata = MetaData()

Words = Text().with_variant(Text(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer, "sqlite")

OWED = "order_id <> ''"
"""Outcomes that are of an order, as their index has it."""
ORDERS = "name IN ('Order Completed', 'Order Refunded', 'Order Cancelled')"
event = Table(
    "mtp_event",
    metadata,
    Column("seq", Number, primary_key=True, comment="order of arrival"),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("name", Words, nullable=False),
    Column("profile_id", Words, nullable=False),
    Column("happened_at", Double, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("permanent", Boolean, nullable=False, comment="de-duplicated for ever by event_id"),
    Column("body", Text, nullable=False, comment="all else as JSON"),
    Column("recommendation_id", Words, comment="the slate it came from"),
    Index("mtp_event_profile", "profile_id", "seq"),
    Index(
        "mtp_event_permanent",
        "event_id",
        unique=True,
        postgresql_where=text("permanent"),
        sqlite_where=text("permanent"),
    ),
    Index(
        "mtp_event_recommendation",
        "recommendation_id",
        postgresql_where=text("recommendation_id IS NOT NULL"),
        sqlite_where=text("recommendation_id IS NOT NULL"),
    ),
    Index("mtp_event_order", "happened_at", postgresql_where=text(ORDERS), sqlite_where=text(ORDERS)),
    sqlite_autoincrement=True,
)

profile = Table(
    "mtp_profile",
    metadata,
    Column("profile_id", Words, primary_key=True),
    Column("last_seq", Number, nullable=False, comment="last event folded; 0 is a row that only locks"),
    Column("body", LargeBinary, nullable=False, comment="records.Profile as MessagePack"),
)

message_seen = Table(
    "mtp_message_seen",
    metadata,
    Column("bucket", Number, primary_key=True, autoincrement=False, comment="received_at in windows"),
    Column("key", LargeBinary(16), primary_key=True, comment="hash of Event.dedupe_key"),
    sqlite_with_rowid=False,
)

stale_profile = Table(
    "mtp_stale_profile",
    metadata,
    Column("id", Number, primary_key=True),
    Column("profile_id", Words, nullable=False, comment="its copy in Redis may be behind"),
    sqlite_autoincrement=True,
)

product = Table(
    "mtp_product",
    metadata,
    Column("product_id", Words, primary_key=True),
    Column("hidden", Boolean, nullable=False),
    Column("stock", Number),
    Column("body", Text, nullable=False, comment="records.Product as JSON, without hidden and stock"),
)

catalog_version = Table(
    "mtp_catalog_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Number, nullable=False),
)

slate = Table(
    "mtp_slate",
    metadata,
    Column("recommendation_id", Words, primary_key=True),
    Column("created_at", Double, nullable=False, index=True),
    Column("placement", Words, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="records.SlateEntry as MessagePack"),
    Column("strategy", Words, nullable=False, server_default=""),
    Column("segment_id", Words, nullable=False, server_default=""),
    Column("consent_level", Words, nullable=False, server_default=""),
    Column("device", Words, nullable=False, server_default=""),
    Column("fallback_level", Integer, nullable=False, server_default="0"),
    Column("took_us", Number, nullable=False, server_default="0", comment="without asking the shop"),
    Column("items", Integer, nullable=False, server_default="0", comment="products in it"),
    Column("model_version", Words, nullable=False, server_default=""),
    Column("choices", Text, nullable=False, server_default="[]", comment="JSON: policy, about, arm, position of each"),
    Column("experiments", Text, nullable=False, server_default="[]", comment="JSON: experiment and variation of each"),
    Column("products", LargeBinary, comment="kpi.sketch.product_hash of each product"),
)

outcome = Table(
    "mtp_outcome",
    metadata,
    Column("number", Number, primary_key=True, comment="in order of being found; none is written before a lesser one"),
    Column("outcome_id", LargeBinary(16), nullable=False),
    Column("kind", Words, nullable=False),
    Column("recommendation_id", Words, nullable=False),
    Column("profile_id", Words, nullable=False),
    Column("at", Double, nullable=False, comment="when it happened"),
    Column("product_id", Words, nullable=False),
    Column("position", Integer, nullable=False),
    Column("quantity", Double, nullable=False),
    Column("value", Double, nullable=False, comment="in the shop's currency, negative for what was taken back"),
    Column("margin", Double, nullable=False, comment="what of the value was earned"),
    Column("order_id", Words, nullable=False),
    Index("mtp_outcome_id", "outcome_id", unique=True),
    Index("mtp_outcome_recommendation", "recommendation_id"),
    Index("mtp_outcome_profile", "profile_id"),
    Index("mtp_outcome_at", "at"),
    Index("mtp_outcome_order", "order_id", postgresql_where=text(OWED), sqlite_where=text(OWED)),
    sqlite_autoincrement=True,
)

slate_profile = Table(
    "mtp_slate_profile",
    metadata,
    Column("profile_id", Words, primary_key=True),
    Column(
        "recommendation_id",
        Words,
        ForeignKey("mtp_slate.recommendation_id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    sqlite_with_rowid=False,
)

consent = Table(
    "mtp_consent",
    metadata,
    Column("id", Number, primary_key=True),
    Column("subject_id", Words, nullable=False),
    Column("purpose", Words, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("policy_version", Words, nullable=False),
    Column("decided_at", Double, nullable=False),
    Column("source", Words, nullable=False),
    Column("status", Words, nullable=False, server_default="", comment="granted, denied or revoked"),
    Column("proof", Words, nullable=False, server_default="", comment="what the choice rests on"),
    Column("regime", Words, nullable=False, server_default="", comment="that held where the visitor was"),
    Index("mtp_consent_subject", "subject_id", "id"),
    sqlite_autoincrement=True,
)

audit = Table(
    "mtp_audit",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False, comment="1, 2, 3, ... without gaps"),
    Column("at", Double, nullable=False),
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("details", Text, nullable=False, comment="JSON without personal data"),
    Column("key_id", Words, nullable=False),
    Column("previous", Words, nullable=False, comment="seal of the entry before"),
    Column("seal", Words, nullable=False),
    Index("mtp_audit_subject", "subject", "number"),
)

audit_head = Table(
    "mtp_audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Number, nullable=False),
    Column("seal", Words, nullable=False),
)

subject_request = Table(
    "mtp_subject_request",
    metadata,
    Column("request_id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False, index=True, comment="keyed hash of the visitor"),
    Column("actor", Words, nullable=False),
    Column("requested_at", Double, nullable=False),
    Column("profile_ids", Text, nullable=False, comment="JSON; empty once all is done"),
    Column("steps", Text, nullable=False, comment="JSON: what each step did"),
    Column("finished_at", Double, nullable=False, comment="0 while steps are left"),
)

suppression = Table(
    "mtp_suppression",
    metadata,
    Column("id", Number, primary_key=True),
    Column("subject", Words, nullable=False, comment="keyed hash of the visitor"),
    Column("kind", Words, nullable=False),
    Column("since", Double, nullable=False),
    Column("active", Boolean, nullable=False),
    Index("mtp_suppression_subject", "subject", "kind", unique=True),
    sqlite_autoincrement=True,
)

privacy_report = Table(
    "mtp_privacy_report",
    metadata,
    Column("id", Number, primary_key=True),
    Column("made_at", Double, nullable=False),
    Column("body", Text, nullable=False, comment="JSON without personal data"),
    sqlite_autoincrement=True,
)

lease = Table(
    "mtp_lease",
    metadata,
    Column("name", Words, primary_key=True),
    Column("holder", Words, nullable=False),
    Column("expires_at", Double, nullable=False),
)

job_run = Table(
    "mtp_job_run",
    metadata,
    Column("id", Number, primary_key=True),
    Column("name", Words, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("message", Text, nullable=False),
    Index("mtp_job_run_name", "name", "id"),
    sqlite_autoincrement=True,
)

bundle_switch = Table(
    "mtp_bundle_switch",
    metadata,
    Column("id", Number, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("switched_at", Double, nullable=False),
    Index("mtp_bundle_switch_kind", "kind", "id"),
    sqlite_autoincrement=True,
)

segment_made = Table(
    "mtp_segment_made",
    metadata,
    Column("segment_id", Words, primary_key=True),
    Column("name", Text, nullable=False),
    Column("condition", Text, nullable=False, comment="as JSON"),
    Column("precedence", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("size", Number, comment="visitors when they were counted"),
    Column("counted_at", Double, nullable=False),
)

segment_name = Table(
    "mtp_segment_name",
    metadata,
    Column("segment_id", Words, primary_key=True),
    Column("name", Text, nullable=False, comment="given by the merchant to a segment that was found"),
)

segment_version = Table(
    "mtp_segment_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Number, nullable=False),
)

segment_member = Table(
    "mtp_segment_member",
    metadata,
    Column("profile_id", Words, primary_key=True),
    Column("segment_id", Words, nullable=False, comment="at the last refresh"),
    sqlite_with_rowid=False,
)

segment_refresh = Table(
    "mtp_segment_refresh",
    metadata,
    Column("id", Number, primary_key=True),
    Column("refreshed_at", Double, nullable=False),
    Column("body", Text, nullable=False, comment="ports.SegmentRefresh as JSON"),
    sqlite_autoincrement=True,
)

bandit_sum = Table(
    "mtp_bandit_sum",
    metadata,
    Column("policy", Words, primary_key=True),
    Column("segment_id", Words, primary_key=True),
    Column("arm", Words, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False, comment="days since 1970 in UTC"),
    Column("cell", Integer, primary_key=True, autoincrement=False, comment="what was summed up"),
    Column("value", Double, nullable=False),
    sqlite_with_rowid=False,
)

bandit_version = Table(
    "mtp_bandit_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Number, nullable=False),
)

ruleset = Table(
    "mtp_ruleset",
    metadata,
    Column("version", Number, primary_key=True, autoincrement=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Words, nullable=False),
    Column("note", Text, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("enabled", Integer, nullable=False),
    Column("body", Text, nullable=False, comment="records.RuleSet as JSON"),
)


def _changes(name: str, comment: str) -> Table:
    """What was written in the console; the newest row of a name holds."""
    return Table(
        name,
        metadata,
        Column("id", Number, primary_key=True),
        Column("name", Words, nullable=False),
        Column("options", Text, nullable=False, comment=comment),
        Column("changed_at", Double, nullable=False),
        Column("changed_by", Words, nullable=False),
        Index(f"{name}_name", "name", "id"),
        sqlite_autoincrement=True,
    )


placement_change = _changes("mtp_placement_change", "what differs from the code, as JSON")

experiment_change = _changes(
    "mtp_experiment_change", "an entry as in MTP_EXPERIMENTS and whether it is a draft, as JSON"
)

identity_link = Table(
    "mtp_identity_link",
    metadata,
    Column("link_id", Number, primary_key=True),
    Column("left_node", Words, nullable=False),
    Column("right_node", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("state", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("decided_at", Double, nullable=False),
    Column("actor", Words, nullable=False),
    Column("evidence", Text, nullable=False, comment="what it rests on, as JSON"),
    Index("mtp_identity_link_pair", "left_node", "right_node", "kind", unique=True),
    Index("mtp_identity_link_right", "right_node"),
    Index("mtp_identity_link_state", "state", "link_id"),
    sqlite_autoincrement=True,
)

identity_entry = Table(
    "mtp_identity_entry",
    metadata,
    Column("entry_id", Number, primary_key=True),
    Column("link_id", Number, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Index("mtp_identity_entry_link", "link_id", "entry_id"),
    sqlite_autoincrement=True,
)

identity_member = Table(
    "mtp_identity_member",
    metadata,
    Column("node", Words, primary_key=True),
    Column("cluster", Words, nullable=False, index=True, comment="the first of its nodes by name"),
    Column("shared", Boolean, nullable=False, comment="used by several people: it tells of none"),
    Column("since", Double, nullable=False, comment="when it was first linked"),
)

webhook = Table(
    "mtp_webhook",
    metadata,
    Column("webhook_id", Number, primary_key=True),
    Column("source", Words, nullable=False),
    Column("topic", Words, nullable=False),
    Column("delivery_id", Words, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, comment="of topic and body"),
    Column("received_at", Double, nullable=False),
    Column("profile_id", Words, comment="whom it speaks of"),
    Column("body", LargeBinary, comment="as received; empty once it is old or has acted"),
    Column("state", Words, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", Double, nullable=False),
    Column("message", Text, nullable=False),
    Index("mtp_webhook_delivery", "source", "delivery_id", unique=True),
    Index("mtp_webhook_digest", "source", "digest", unique=True),
    Index("mtp_webhook_due", "state", "next_try_at"),
    Index("mtp_webhook_profile", "profile_id"),
    sqlite_autoincrement=True,
)

cursor = Table(
    "mtp_cursor",
    metadata,
    Column("name", Words, primary_key=True),
    Column("position", Text, nullable=False),
    Column("moved_at", Double, nullable=False),
)

open_cart = Table(
    "mtp_open_cart",
    metadata,
    Column("profile_id", Words, primary_key=True),
    Column("touched_at", Double, nullable=False, index=True),
)

forward_target = Table(
    "mtp_forward_target",
    metadata,
    Column("name", Words, primary_key=True),
    Column("seq", Number, nullable=False, comment="the last event that was dealt with"),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", Double, nullable=False),
    Column("sent", Number, nullable=False),
    Column("withheld", Number, nullable=False, comment="not sent for want of permission"),
    Column("error", Text, nullable=False),
)

forward_dead = Table(
    "mtp_forward_dead",
    metadata,
    Column("dead_id", Number, primary_key=True),
    Column("target", Words, nullable=False),
    Column("seq", Number, nullable=False),
    Column("profile_id", Words, nullable=False, index=True),
    Column("refused_at", Double, nullable=False),
    Column("error", Text, nullable=False),
    Index("mtp_forward_dead_target", "target", "dead_id"),
    sqlite_autoincrement=True,
)

alert_hour = Table(
    "mtp_alert_hour",
    metadata,
    Column("hour", Integer, primary_key=True, autoincrement=False, comment="hours since 1970 in UTC"),
    Column("placement", Words, primary_key=True),
    Column("segment_id", Words, primary_key=True),
    Column("slates", Double, nullable=False),
    Column("empty", Double, nullable=False),
    Column("fallback", Double, nullable=False),
    Column("slow", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("clicks", Double, nullable=False),
    Column("carts", Double, nullable=False),
    Column("purchases", Double, nullable=False),
    Column("revenue", Double, nullable=False),
)

alert = Table(
    "mtp_alert",
    metadata,
    Column("alert_id", Number, primary_key=True),
    Column("key", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("resolved_at", Double, nullable=False),
    Column("body", Text, nullable=False, comment="all else as JSON"),
    Index("mtp_alert_state", "state", "alert_id"),
    sqlite_autoincrement=True,
)

alert_silence = Table(
    "mtp_alert_silence",
    metadata,
    Column("key", Words, primary_key=True),
    Column("until", Double, nullable=False),
    Column("by", Words, nullable=False),
)


def _zero(name: str) -> str | None:
    """What came later has a default."""
    return "0" if name in ("shown", "fresh") else None


def _cube(name: str, *parts: str) -> Table:
    return Table(
        name,
        metadata,
        Column("span", Integer, primary_key=True, autoincrement=False, comment="0 an hour, 1 a day"),
        Column(
            "at", Integer, primary_key=True, autoincrement=False,
            comment="hours since 1970 in UTC, or the ordinal of the shop's day",
        ),
        *(Column(part, Words, primary_key=True) for part in parts),
        *(Column(one, Double, nullable=False, server_default=_zero(one)) for one in SUMS),
        Column("known", Integer, nullable=False, server_default="0", comment="bits of people"),
        Column("people", LargeBinary, comment="which of 2,048 hashes its known visitors have"),
    )  # fmt: skip


kpi = _cube("mtp_kpi", "placement", "strategy", "segment_id", "device", "consent_level")
kpi_experiment = _cube("mtp_kpi_experiment", "experiment", "variation")
kpi_position = _cube("mtp_kpi_position", "placement", "position")

kpi_group = Table(
    "mtp_kpi_group",
    metadata,
    Column("dimension", Words, primary_key=True, comment="what days are divided by; '' for not at all"),
    Column("day", Integer, primary_key=True, autoincrement=False, comment="ordinal of the shop's day"),
    Column("key", Words, primary_key=True),
    *(Column(one, Double, nullable=False, server_default=_zero(one)) for one in SUMS),
    Column("known", Integer, nullable=False, server_default="0", comment="bits of people"),
    Column("people", LargeBinary, comment="which of 2,048 hashes the known visitors of a segment have"),
    sqlite_with_rowid=False,
)

kpi_sketch = Table(
    "mtp_kpi_sketch",
    metadata,
    Column("dimension", Words, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("key", Words, primary_key=True),
    Column("registers", LargeBinary, nullable=False, comment="kpi.sketch of the products shown"),
    sqlite_with_rowid=False,
)

kpi_new = Table(
    "mtp_kpi_new",
    metadata,
    Column(
        "recommendation_id",
        Words,
        ForeignKey("mtp_slate.recommendation_id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        comment="a slate that is not counted yet",
    ),
    sqlite_with_rowid=False,
)

kpi_dirty = Table(
    "mtp_kpi_dirty",
    metadata,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False, comment="when it was marked"),
)

# Coverage and novelty are read from sketches and sums now; the columns are for workers of the version before.
kpi_shop = Table(
    "mtp_kpi_shop",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False, comment="ordinal of the shop's day"),
    Column("orders", Double, nullable=False),
    Column("revenue", Double, nullable=False),
    Column("refunds", Double, nullable=False),
    Column("coverage", Double, comment="share of the products shown, once the day is over"),
    Column("novelty", Double, comment="share of new products in what was shown"),
    Column("gini", Double, comment="how unevenly products were shown"),
    Column("visits", Double, nullable=False, server_default="0", comment="visitors, each once a day"),
    Column("views", Double, nullable=False, server_default="0", comment="products viewed"),
)
