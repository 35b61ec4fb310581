"""What is done about an alert where the shop allows it: the change that probably caused it is taken back, and that can
be undone. Everything is in the audit log."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import InputError, MTPError
from ..ports import Alert
from ..state import State

BY = "job:alerts"
ADDING = ("rule.added", "rule.changed", "rule.enabled")
SERVING = ("model.promoted", "model.activated")


def act(state: State, alert: Alert, now: float) -> Alert:
    """Take the likeliest cause back if ``MTP_ALERT_ACTIONS`` says so for this KPI, else nothing.

    Only of a drop (or of a rise where that is bad), and only of the first cause: what is less likely stays.
    """
    kpi = alert.figures.get("kpi", "")
    allowed = state.settings.alert_actions.get(kpi, ())
    change = next((cause for cause in alert.causes if cause["what"] == "change"), None)
    if not allowed or change is None or alert.action or alert.severity == "note":
        return alert
    try:
        done = _take_back(state, change, allowed)
    except MTPError as error:
        done = {"failed": str(error)[:300]}
    if not done:
        return alert
    state.audit.append(BY, "alert.acted", f"alert:{alert.alert_id}", {"key": alert.key, **done}, at=now)
    return msgspec.structs.replace(alert, action={**done, "at": now})


def _take_back(state: State, change: dict[str, Any], allowed: tuple[str, ...]) -> dict[str, Any]:
    kind, _, name = change["subject"].partition(":")
    if "rule" in allowed and change["action"] in ADDING and kind == "rule":
        _, ruleset = state.rulebook.read()
        if any(rule.rule_id == name and rule.enabled for rule in ruleset.rules):
            state.rulebook.switch(name, False, by=BY, note=f"{name} paused by an alert")
            return {"did": "rule.paused", "subject": f"rule:{name}"}
    if "model" in allowed and change["action"] in SERVING and kind == "model":
        return _older_model(state, *name.split("/", 1))
    return {}


def _older_model(state: State, kind: str, version: str = "") -> dict[str, Any]:
    """Point back to the version before, if the one in question still serves."""
    known = state.registry.list(kind)
    serving = next((info for info in known if info.current), None)
    older = [info for info in known if serving and info.created_at < serving.created_at]
    if serving is None or not older or (version and serving.version != version):
        return {}
    state.registry.activate(kind, older[0].version)
    return {"did": "model.rolled-back", "subject": f"model:{kind}/{older[0].version}", "from": serving.version}


def undo(state: State, alert_id: int, *, by: str, now: float) -> Alert:
    """Take back what was done about an alert.

    :raises InputError: nothing was done, or it is undone already
    :raises mtp_plugin.errors.NotFoundError: the rule is gone
    """
    alert = state.alerts.get(alert_id)
    if alert is None or "did" not in alert.action or "undone_at" in alert.action:
        raise InputError("nothing was done about this alert that could be undone", field="alert_id")
    kind, _, name = alert.action["subject"].partition(":")
    if kind == "rule":
        state.rulebook.switch(name, True, by=by, note=f"what alert {alert_id} did is undone")
    else:
        state.registry.activate(name.split("/", 1)[0], alert.action["from"])
    state.audit.append(by, "alert.undone", f"alert:{alert_id}", {"did": alert.action["did"]}, at=now)
    undone = msgspec.structs.replace(alert, action={**alert.action, "undone_at": now})
    state.alerts.put(undone)
    return undone
