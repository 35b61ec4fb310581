"""How long each kind of data is kept: one row a kind, deleted by the job and counted by the dry run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ..config import Settings
from ..ports import AlertBook, ConsentLog, Holder, Journal, Outcomes, SlateLog, SubjectLog, WebhookBox

HOUR, DAY = 3600.0, 86400.0


class Kept(NamedTuple):
    """The stores that retention looks into."""

    journal: Journal
    slates: SlateLog
    consents: ConsentLog
    requests: SubjectLog
    webhooks: WebhookBox
    holders: list[Holder]
    outcomes: Outcomes
    alerts: AlertBook


class RetentionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of data, the setting that says how long (in days, 0 for ever), and how many are older than that."""

    kind: str
    setting: str
    days: float
    count: int


def rows(settings: Settings, kept: Kept, now: float, *, dry: bool) -> list[RetentionRow]:
    """Delete what is older than its setting, or count it.

    :param dry: only count
    """
    return list(_rows(settings, kept, now, dry))


def _rows(settings: Settings, kept: Kept, now: float, dry: bool) -> Iterator[RetentionRow]:
    def row(kind: str, setting: str, days: float, count: int) -> RetentionRow:
        return RetentionRow(kind=kind, setting=setting, days=days, count=count)

    def before(days: float) -> float:
        return now - days * DAY

    days: float = settings.profile_days
    yield row("visitors", "MTP_PROFILE_DAYS", days, _visitors(kept, before(days), dry) if days else 0)
    days = settings.event_days
    yield row("events", "MTP_EVENT_DAYS", days, kept.journal.expire(before(days), dry=dry) if days else 0)
    days = settings.slate_days
    yield row("slates", "MTP_SLATE_DAYS", days, kept.slates.purge(before(days), dry=dry))
    days = settings.dedupe_hours * HOUR / DAY
    yield row("message ids", "MTP_DEDUPE_HOURS", days, kept.journal.purge(before(days), dry=dry))
    days = settings.webhook_days
    yield row("webhooks", "MTP_WEBHOOK_DAYS", days, kept.webhooks.purge(before(days), dry=dry))
    days = settings.consent_days
    yield row("replaced choices", "MTP_CONSENT_DAYS", days, kept.consents.purge(before(days), dry=dry))
    days = settings.request_days
    yield row("requests of data subjects", "MTP_REQUEST_DAYS", days, kept.requests.purge(before(days), dry=dry))
    days = settings.outcome_days
    yield row("outcomes", "MTP_OUTCOME_DAYS", days, kept.outcomes.purge(before(days), dry=dry))
    days = settings.alert_days
    yield row("alerts and their hours", "MTP_ALERT_DAYS", days, kept.alerts.purge(before(days), dry=dry))


def _visitors(kept: Kept, before: float, dry: bool) -> int:
    """Visitors who were not seen for so long: all that anybody holds of them goes, but no suppression is left."""
    count = 0
    for names in kept.journal.idle(before):
        count += len(names)
        for name in () if dry else names:
            for holder in kept.holders:
                holder.erase([name])
    return count


def words(found: list[RetentionRow], *, dry: bool) -> str:
    """The rows as one line."""
    told = ", ".join(f"{row.count:,} {row.kind}" for row in found)
    return f"{told} {'would be deleted' if dry else 'deleted'}"
