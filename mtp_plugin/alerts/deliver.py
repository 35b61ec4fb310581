"""Telling: one message a target and run, however many alerts it is about; tried again with growing pauses.

Nothing of a target but its name and the kind of an error is written anywhere: addresses hold secrets.
"""

from __future__ import annotations

import smtplib
import ssl
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import msgspec
import requests

from ..alert_targets import AlertTarget
from ..errors import UnavailableError
from ..outbound import Outbound
from ..ports import Alert
from ..state import State

FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
MOST_TRIES = 24
SHOWN = 20
"""Alerts that one message names."""


def queued(state: State, alert: Alert) -> Alert:
    """The alert with a message to each target that hears of its severity."""
    wanted = {
        name: {"tries": 0, "next": 0.0} for name, target in state.told.items() if alert.severity in target.severities
    }
    return msgspec.structs.replace(alert, sends={**alert.sends, **wanted})


def deliver(state: State, now: float) -> str:
    """Send what is due; gives a line. What is silenced waits, and is dropped when it resolves meanwhile."""
    hushed = [silence.key for silence in state.alerts.silences(now)]
    by_target: dict[str, list[Alert]] = defaultdict(list)
    for alert in state.alerts.kept(limit=1000):
        if alert.sends and not any(alert.key.startswith(key) for key in hushed):
            for name, send in alert.sends.items():
                if send["next"] <= now:
                    by_target[name].append(alert)
    return "; ".join(_to(state, name, alerts, now) for name, alerts in by_target.items())


def _to(state: State, name: str, alerts: Sequence[Alert], now: float) -> str:
    target = state.told.get(name)
    why = ""
    if target is not None:
        try:
            send(state.outbound, target, alerts)
        except UnavailableError as error:
            why = str(error)
    for alert in alerts:
        fresh = state.alerts.get(alert.alert_id) or alert
        sends = dict(fresh.sends)
        tries = sends.pop(name, {"tries": 0})["tries"] + 1
        if why and tries < MOST_TRIES:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (tries - 1))
            sends[name] = {"tries": tries, "next": now + pause, "error": why}
        state.alerts.put(msgspec.structs.replace(fresh, sends=sends))
    return f"{name}: {why or f'{len(alerts)} told'}"


def send(outbound: Outbound, target: AlertTarget, alerts: Sequence[Alert]) -> None:
    """Tell one target of these.

    :raises UnavailableError: it could not be told; the text holds no secret
    """
    try:
        if target.kind == "email":
            _mail(target, alerts)
        elif target.kind == "webhook":
            _post(outbound, target, target.url, slack_body(alerts))
        else:
            _post(outbound, target, f"{target.url.rstrip('/')}/api/v2/alerts", alertmanager_body(alerts))
    except (OSError, smtplib.SMTPException, requests.RequestException) as error:
        raise UnavailableError(f"could not be told: {type(error).__name__}") from None


def _post(outbound: Outbound, target: AlertTarget, url: str, body: Any) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "mtp_plugin"}
    with outbound.session() as session:
        answer = session.post(url, data=msgspec.json.encode(body), headers=headers, timeout=target.timeout_s)
    if not answer.ok or answer.is_redirect:
        raise UnavailableError(f"answered {answer.status_code}")


def _mail(target: AlertTarget, alerts: Sequence[Alert]) -> None:
    with smtplib.SMTP(target.host, target.port, timeout=target.timeout_s) as server:
        if target.starttls:
            server.starttls(context=ssl.create_default_context())
        if target.user:
            server.login(target.user, target.password)
        server.send_message(mail(target, alerts))


def mail(target: AlertTarget, alerts: Sequence[Alert]) -> EmailMessage:
    """The message to a mailbox."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = target.sender, ", ".join(target.to), _headline(alerts)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(map(text, alerts[:SHOWN])))
    return message


def _headline(alerts: Sequence[Alert]) -> str:
    first = alerts[0]
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    line = f"[{first.state}] {first.title}{more}"
    # Names of placements and products are in it: no line break of any alphabet, nothing that turns its direction.
    return " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())


def text(alert: Alert) -> str:
    """An alert in words: what, since when, why probably, what was done."""
    since = datetime.fromtimestamp(alert.opened_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [f"{alert.title} ({alert.state}, {alert.severity}, alert {alert.alert_id}, since {since})", alert.message]
    lines += [f"Likely cause: {cause_text(cause)}" for cause in alert.causes]
    if did := alert.action.get("did"):
        lines.append(f"Done about it: {did} {alert.action['subject']}. Undo: flask mtp alerts undo {alert.alert_id}")
    return "\n".join(lines)


def cause_text(cause: dict[str, Any]) -> str:
    """A cause in words."""
    if cause["what"] == "part":
        segment = f", segment {cause['segment_id']}" if cause["segment_id"] else ""
        return f"{cause['share']:.0%} of the change comes from {cause['placement'] or 'no placement'}{segment}"
    at = datetime.fromtimestamp(cause["at"], UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{cause['subject']}: {cause['action']} by {cause['by']} at {at}"


def slack_body(alerts: Sequence[Alert]) -> dict[str, Any]:
    """JSON as Slack's incoming webhooks take it, and the alerts as data for others."""
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": text(one)[:3000]}} for one in alerts[:SHOWN]]
    return {"text": _headline(alerts), "blocks": blocks, "alerts": [_data(one) for one in alerts[:SHOWN]]}


def _data(alert: Alert) -> dict[str, Any]:
    names = ("alert_id", "key", "kind", "severity", "title", "message", "state", "opened_at", "resolved_at")
    return {name: getattr(alert, name) for name in names}


def alertmanager_body(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    """JSON of Alertmanager's API, version 2."""

    def iso(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat()

    return [
        {
            "labels": {"alertname": "MtpFigures", "key": one.key, "kind": one.kind, "severity": one.severity},
            "annotations": {"summary": one.title, "description": text(one)},
            "startsAt": iso(one.opened_at),
            **({"endsAt": iso(one.resolved_at)} if one.state == "resolved" else {}),
        }
        for one in alerts
    ]
