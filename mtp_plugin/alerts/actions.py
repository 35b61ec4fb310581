"""What is done about an alert where the shop allows it: the change that probably caused it is taken back, or the
placement falls back to best sellers, and that can be undone. Everything is in the audit log."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import InputError, MTPError
from ..ports import Alert
from ..state import State

BY = "job:alerts"
ADDING = ("rule.added", "rule.changed", "rule.enabled")
STARTING = ("experiment.started", "experiment.resumed")
SAFE = ("best-sellers",)
"""What a placement falls back to."""
SERVING = ("model.promoted", "model.activated")


def act(state: State, alert: Alert, now: float) -> Alert:
    """Take the likeliest cause back if ``MTP_ALERT_ACTIONS`` says so for this KPI, else let the placement fall back if
    it says that, else nothing.

    Only of a drop (or of a rise where that is bad), and only of the first cause: what is less likely stays.
    """
    kpi = alert.figures.get("kpi", "")
    allowed = state.settings.alert_actions.get(kpi, ())
    change = next((cause for cause in alert.causes if cause["what"] == "change"), None)
    if not allowed or alert.action or alert.severity == "note":
        return alert
    try:
        done = _take_back(state, change, allowed, now) if change is not None else {}
        if not done and "fallback" in allowed:
            done = _fall_back(state, alert.figures.get("placement", ""), now)
    except MTPError as error:
        done = {"failed": str(error)[:300]}
    if not done:
        return alert
    state.audit.append(BY, "alert.acted", f"alert:{alert.alert_id}", {"key": alert.key, **done}, at=now)
    return msgspec.structs.replace(alert, action={**done, "at": now})


def _take_back(state: State, change: dict[str, Any], allowed: tuple[str, ...], now: float) -> dict[str, Any]:
    kind, _, name = change["subject"].partition(":")
    if "rule" in allowed and change["action"] in ADDING and kind == "rule":
        _, ruleset = state.rulebook.read()
        if any(rule.rule_id == name and rule.enabled for rule in ruleset.rules):
            state.rulebook.switch(name, False, by=BY, note=f"{name} paused by an alert")
            return {"did": "rule.paused", "subject": f"rule:{name}"}
    if "model" in allowed and change["action"] in SERVING and kind == "model":
        return _older_model(state, *name.split("/", 1))
    if "experiment" in allowed and change["action"] in STARTING and kind == "experiment":
        return _paused(state, name, now)
    if "placement" in allowed and change["action"] == "placement.changed" and kind == "placement":
        return _before(state, name, now)
    return {}


def _paused(state: State, key: str, now: float) -> dict[str, Any]:
    """Show the control to all; what was stopped before is remembered."""
    row = state.experiments.rows.get(key)
    if row is None:
        return {}
    before = sorted(state.experiments.stopped().get(key, {}))
    shown = [number for number in range(1, len(row.names)) if number not in before]
    for number in shown:
        state.experiments.stop(key, number, now)
    return {"did": "experiment.paused", "subject": f"experiment:{key}", "stopped_before": before} if shown else {}


def _before(state: State, name: str, now: float) -> dict[str, Any]:
    """The options of a placement as they were before the latest change."""
    history = state.placements.changes.history(name, limit=2)
    if not history:
        return {}
    older = dict(history[1].options) if len(history) > 1 else {}
    return _laid(state, name, older, "placement.rolled-back", now)


def _fall_back(state: State, name: str, now: float) -> dict[str, Any]:
    """Best sellers alone, which depend on no model of a visitor; nothing where they stand already."""
    placement = state.placements.get(name)
    if placement is None or placement.strategies == SAFE:
        return {}
    current = state.placements.changes.current().get(name)
    options = {**(current.options if current else {}), "strategies": list(SAFE)}
    return _laid(state, name, options, "placement.fell-back", now)


def _laid(state: State, name: str, options: dict[str, Any], did: str, now: float) -> dict[str, Any]:
    current = state.placements.changes.current().get(name)
    state.placements.changes.change(name, options, who=BY, now=now)
    state.placements.refresh()
    return {"did": did, "subject": f"placement:{name}", "from": dict(current.options) if current else {}}


def _older_model(state: State, kind: str, version: str = "") -> dict[str, Any]:
    """Point back to the version before, if the one in question still serves, counted anew or not."""
    known = state.registry.list(kind)
    serving = next((info for info in known if info.current), None)
    if serving is None or (version and version not in (serving.version, serving.lineage.get("model"))):
        return {}
    model = serving.lineage.get("model", serving.version)
    made = next((info.created_at for info in known if info.version == model), serving.created_at)
    older = [info for info in known if info.created_at < made and info.lineage.get("model") != model]
    if not older:
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
    elif kind == "experiment":
        state.experiments.resume(name, now)
        for number in alert.action["stopped_before"]:
            state.experiments.stop(name, number, now)
    elif kind == "placement":
        state.placements.changes.change(name, alert.action["from"], who=by, now=now)
        state.placements.refresh()
    else:
        state.registry.activate(name.split("/", 1)[0], alert.action["from"])
    state.audit.append(by, "alert.undone", f"alert:{alert_id}", {"did": alert.action["did"]}, at=now)
    undone = msgspec.structs.replace(alert, action={**alert.action, "undone_at": now})
    state.alerts.put(undone)
    return undone
