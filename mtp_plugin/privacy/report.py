"""What is collected, why, where it lies, how long, where it goes; and what changed since the last report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..config import Settings

FOREVER = "until the visitor goes or is erased"


class DataRow(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of data. ``count`` is how many there are, -1 where nobody counts."""

    kind: str
    what: str
    why: str
    basis: str
    where: str
    how_long: str
    count: int = -1


class PrivacyReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report: the rows, who else gets data, how the plugin is set, what was done, and what changed."""

    made_at: float
    rows: tuple[DataRow, ...]
    recipients: tuple[str, ...]
    settings: dict[str, Any]
    done: dict[str, int]
    changes: tuple[str, ...] = ()
    since: float = 0.0


def _segment_cookie(settings: Settings, consent: str) -> tuple[tuple[str, ...], ...]:
    if not settings.segment_cookie_name:
        return ()
    what = f"the id of a segment in {settings.segment_cookie_name}"
    why = "suggestions that suit the visitor, out of shared caches"
    return (("segment cookie", what, why, consent, "the browser", f"{settings.cookie_days} days"),)


def data_rows(settings: Settings, counts: Mapping[str, int], holders: Sequence[str]) -> tuple[DataRow, ...]:
    """Every kind of data that this installation keeps.

    :param counts: how many of each kind there are, as far as somebody counted
    :param holders: names of whoever else keeps data of visitors
    """
    database = "PostgreSQL" if settings.database_url.startswith("postgres") else "SQLite"
    copies = f"{database}; copies in Redis" if settings.redis_url else f"{database}; copies in the process"
    consent = "consent (opt-in)" if settings.regime == "opt-in" else "legitimate interest until an objection (opt-out)"
    rows = (
        (
            "visitor cookie",
            f"a random id in {settings.cookie_name}",
            "to know a browser again",
            consent,
            "the browser",
            f"{settings.cookie_days} days",
        ),
        (
            "consent cookie",
            f"the choice, its time and policy version in {settings.consent_cookie_name}",
            "to honour the choice",
            "legal obligation",
            "the browser",
            f"{settings.cookie_days} days",
        ),
        *_segment_cookie(settings, consent),
        (
            "events",
            "products viewed, put into the cart, bought; searches; pages; traits the shop sent",
            "suggestions that suit the visitor",
            consent,
            database,
            _days(settings.event_days, settings.profile_days),
        ),
        (
            "profiles",
            "recent products, faded preferences, traits, counts; folded from events",
            "suggestions that suit the visitor",
            consent,
            copies,
            _days(0, settings.profile_days),
        ),
        (
            "slates",
            "products that were suggested and what replaying that needs",
            "to explain and to check suggestions",
            consent,
            database,
            f"{settings.slate_days} days",
        ),
        (
            "outcomes",
            "which suggestions a visitor saw, clicked, put into the cart or bought, with amounts",
            "to measure suggestions and to learn from them",
            consent,
            database,
            f"{settings.outcome_days} days",
        ),
        (
            "message ids",
            "hashes of ids of events",
            "to count an event once",
            "legitimate interest",
            database,
            f"{settings.dedupe_hours:g} to {2 * settings.dedupe_hours:g} hours",
        ),
        (
            "choices",
            "yes and no by purpose, with time, source, policy version and proof",
            "to prove consent",
            "legal obligation",
            database,
            f"the latest as long as the visitor, replaced ones {settings.consent_days} days",
        ),
        (
            "requests of data subjects",
            "what was asked and done, under a keyed hash",
            "to answer and to prove it",
            "legal obligation",
            database,
            f"{settings.request_days} days after they are done",
        ),
        (
            "suppressions",
            "keyed hashes of ids",
            "so that what was erased does not come back",
            "legal obligation",
            database,
            "for good",
        ),
        (
            "audit log",
            "what was done when by whom; visitors as keyed hashes",
            "to prove what was done",
            "legal obligation",
            database,
            "for good",
        ),
        (
            "behaviour models",
            "which products go together; the log they were learnt from, visitors as hashes",
            "suggestions for everybody",
            consent,
            "the model folder",
            "until the next training; made anew after an erasure",
        ),
        (
            "segments",
            "groups of many visitors by behaviour, nobody's own row",
            "suggestions for a group",
            consent,
            "the model folder",
            "until the next refresh; made anew after an erasure",
        ),
        (
            "metrics",
            "counts of requests, slates, choices; no ids",
            "to run the shop",
            "not personal",
            "the process, Prometheus",
            "as Prometheus is set",
        ),
    )
    known = {"events", "slates", "outcomes", "consents"}
    names = ("kind", "what", "why", "basis", "where", "how_long")
    found = [DataRow(**dict(zip(names, row, strict=True)), count=counts.get(row[0], -1)) for row in rows]
    more = [
        DataRow(
            kind=name,
            what=f"what {name} keeps of visitors; part of every export and erasure",
            why="see its documentation",
            basis=consent,
            where=database,
            how_long=_days(0, settings.profile_days),
        )
        for name in holders
        if name not in known
    ]
    return (*found, *more)


def recipients(settings: Settings) -> tuple[str, ...]:
    """Hosts of other parties that settings name, each with the setting; no path, no key."""
    found: list[str] = []
    for row in fields(settings):
        if row.name in (
            "database_url",
            "replica_url",
            "redis_url",
            "stream_url",
            "broker_url",
            "model_folder",
            "write_keys",
        ):
            continue
        hosts = sorted({host for text in _texts(getattr(settings, row.name)) if (host := _host(text))})
        found += [f"{host} (MTP_{row.name.upper()})" for host in hosts]
    return tuple(found)


def changes(before: PrivacyReport | None, now: PrivacyReport) -> tuple[str, ...]:
    """What is another than in the report before, in words."""
    if before is None:
        return ("This is the first report.",)
    found: list[str] = []
    old, new = ({row.kind: row for row in report.rows} for report in (before, now))
    found += [f"New: {kind}." for kind in new if kind not in old]
    found += [f"No longer kept: {kind}." for kind in old if kind not in new]
    for kind in new:
        if kind in old:
            found += _differences(kind, old[kind], new[kind])
    found += [f"New recipient: {name}." for name in now.recipients if name not in before.recipients]
    found += [f"No longer a recipient: {name}." for name in before.recipients if name not in now.recipients]
    found += [
        f"{name} was {before.settings.get(name)!r} and is {value!r}."
        for name, value in now.settings.items()
        if name in before.settings and before.settings[name] != value
    ]
    return tuple(found) or ("Nothing changed in what is kept, why, where and how long.",)


def _differences(kind: str, old: DataRow, new: DataRow) -> Iterable[str]:
    for name in ("what", "why", "basis", "where", "how_long"):
        if getattr(old, name) != getattr(new, name):
            yield f"{kind}, {name.replace('_', ' ')}: was {getattr(old, name)!r}, is {getattr(new, name)!r}."


SETTINGS = (
    "regime", "regimes", "consent_purposes", "policy_version", "cookie_days", "event_days", "profile_days",
    "slate_days", "outcome_days", "consent_days", "request_days", "dedupe_hours", "erase_on_revoke",
)  # fmt: skip
"""Settings that a report tells and compares."""


def told_settings(settings: Settings) -> dict[str, Any]:
    """Those settings by name."""
    told: dict[str, Any] = {f"MTP_{name.upper()}": getattr(settings, name) for name in SETTINGS}
    # As a stored report has them, so that one compares with the next.
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}


def _days(events: int, visitor: int) -> str:
    until = f"{visitor} days after the visitor's last event" if visitor else FOREVER
    return f"{events} days" if events else until


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(key)
            yield from _texts(part)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            yield from _texts(part)


def _host(text: str) -> str:
    try:
        return (urlsplit(text).hostname or "") if text.startswith(("http://", "https://")) else ""
    except ValueError:
        return ""
