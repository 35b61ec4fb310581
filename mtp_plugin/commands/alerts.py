"""``alerts``: what is wrong, since when and why; and saying that it is looked after."""

from __future__ import annotations

import getpass
import time

import click
from flask.cli import with_appcontext

from ..errors import NotFoundError, UnavailableError
from ..ports import Alert
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    alerts = click.Group("alerts", help="What is unusual, who was told, and what was done.")
    mtp.add_command(alerts)
    _register_reading(alerts)
    _register_changes(alerts)


def _register_reading(alerts: click.Group) -> None:
    @command(alerts, "list")
    @click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
    @with_appcontext
    def list_alerts(everything: bool, limit: int, as_json: bool) -> None:
        """Alerts that are open, newest first, and silences."""
        state = mounted()
        found = state.alerts.kept(open_only=not everything, limit=limit)
        hushed = state.alerts.silences(time.time())
        lines = [f"{one.alert_id:6} {one.severity:6} {one.state:12} {one.key}: {one.title}" for one in found]
        lines += [f"silenced until {time.strftime('%Y-%m-%d %H:%M', time.gmtime(one.until))} UTC: {one.key}*"
                  for one in hushed]  # fmt: skip
        answer({"alerts": found, "silences": hushed}, as_json, "\n".join(lines) or "Nothing is wrong.")

    @command(alerts, "show")
    @click.argument("alert_id", type=int)
    @with_appcontext
    def show(alert_id: int, as_json: bool) -> None:
        """One alert with its likely causes and what was done about it."""
        from ..alerts.deliver import cause_text, text

        alert = mounted().alerts.get(alert_id)
        if alert is None:
            raise NotFoundError(f"there is no alert {alert_id}", field="alert_id")
        causes = [cause_text(cause) for cause in alert.causes]
        answer({"alert": alert, "likely_causes": causes}, as_json, text(alert))

    @command(alerts, "test")
    @click.argument("target")
    @with_appcontext
    def test(target: str, as_json: bool) -> None:
        """Tell TARGET, a name in MTP_ALERTS, of an alert that is none."""
        from ..alerts.deliver import send

        state, now = mounted(), time.time()
        known = state.told
        if target not in known:
            raise NotFoundError(f"MTP_ALERTS has no {target[:100]!r}; there are {', '.join(known)}", field="target")
        alert = Alert(
            key="test",
            kind="job",
            severity="note",
            title="A test of alerts",
            message="Nothing is wrong.",
            opened_at=now,
            last_at=now,
        )
        try:
            send(state.outbound, known[target], [alert])
        except UnavailableError as error:
            raise UnavailableError(f"{target} {error}") from None
        answer({"told": target}, as_json, f"{target} was told.")


def _register_changes(alerts: click.Group) -> None:
    @command(alerts, "ack")
    @click.argument("alert_id", type=int)
    @with_appcontext
    def ack(alert_id: int, as_json: bool) -> None:
        """Somebody looks after it."""
        from ..alerts.run import acknowledge

        _said(acknowledge(mounted(), alert_id, by=_who(), now=time.time()), as_json)

    @command(alerts, "resolve")
    @click.argument("alert_id", type=int)
    @with_appcontext
    def resolve_alert(alert_id: int, as_json: bool) -> None:
        """It is over; if it is found again, another one opens."""
        from ..alerts.run import resolve

        _said(resolve(mounted(), alert_id, by=_who(), now=time.time()), as_json)

    @command(alerts, "undo")
    @click.argument("alert_id", type=int)
    @with_appcontext
    def undo_action(alert_id: int, as_json: bool) -> None:
        """Take back what was done about it: the rule serves again, or the model."""
        from ..alerts.actions import undo

        _said(undo(mounted(), alert_id, by=_who(), now=time.time()), as_json)

    @command(alerts, "silence")
    @click.argument("key")
    @click.option("--hours", type=click.FloatRange(0, 8760), default=24.0, show_default=True, help="How long.")
    @with_appcontext
    def silence_key(key: str, hours: float, as_json: bool) -> None:
        """Tell nobody of alerts whose key begins with KEY; 0 hours ends a silence."""
        from ..alerts.run import silence

        hushed = silence(mounted(), key, hours, by=_who(), now=time.time())
        answer({"silence": hushed}, as_json, f"{key}* is silenced for {hours:g} hours.")


def _said(alert: Alert, as_json: bool) -> None:
    answer({"alert": alert}, as_json, f"{alert.alert_id} {alert.key}: {alert.state}")


def _who() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
