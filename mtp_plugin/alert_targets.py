"""Who is told of alerts: addresses of mail, webhooks (as Slack takes them), Prometheus' Alertmanager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from .errors import SettingError

SETTING = "MTP_ALERTS"


class AlertTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One to be told.

    ``severities`` are those it hears of. Mail goes from ``sender`` to ``to`` by ``host`` and ``port``, with STARTTLS
    unless ``starttls`` is false. ``url`` is the webhook's, or where Alertmanager is.
    """

    kind: Literal["email", "webhook", "alertmanager"]
    severities: tuple[str, ...] = ("page", "ticket", "note")
    url: str = ""
    host: str = ""
    port: int = 587
    starttls: bool = True
    user: str = ""
    password: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    timeout_s: float = 5.0


_NEEDED = {"email": ("host", "sender", "to"), "webhook": ("url",), "alertmanager": ("url",)}


def load_alert_targets(given: Mapping[str, Any]) -> dict[str, AlertTarget]:
    """The targets by name.

    :raises SettingError: one that cannot work, with the remedy
    """
    return {str(name): _target(str(name), value) for name, value in given.items()}


def _target(name: str, value: Any) -> AlertTarget:
    try:
        target = msgspec.convert(value, AlertTarget)
    except msgspec.ValidationError as error:
        raise _wrong(name, str(error).replace("`", "")) from None
    lacking = [field for field in _NEEDED[target.kind] if not getattr(target, field)]
    if lacking:
        raise _wrong(name, f"a target of kind {target.kind} needs {' and '.join(lacking)}")
    parts = urlsplit(target.url)
    if target.url and (parts.scheme not in ("https", "http") or not parts.hostname):
        raise _wrong(name, "url must begin with https://")
    if not set(target.severities) <= {"page", "ticket", "note"}:
        raise _wrong(name, "severities are page, ticket and note")
    if any("\n" in text or "\r" in text for text in (target.sender, *target.to)):
        raise _wrong(name, "an address has a line break in it")
    if not 0 < target.timeout_s <= 60:
        raise _wrong(name, "timeout_s must be seconds, above 0 and at most 60")
    return target


def _wrong(name: str, remedy: str) -> SettingError:
    return SettingError(f"{SETTING}[{name!r}]", "...", remedy)
