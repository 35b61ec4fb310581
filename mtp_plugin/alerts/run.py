"""The job: count, find, open and resolve, act, tell."""

from __future__ import annotations

import msgspec

from ..errors import NotFoundError
from ..ports import Alert, Silence
from ..state import State
from .actions import act
from .causes import causes
from .deliver import deliver, queued
from .hours import count_hours
from .watch import Finding, find


def run(state: State, now: float) -> str:
    """One round; gives a line on it."""
    counted = count_hours(state, now)
    found = {finding.key: finding for finding in find(state, now, figures=counted > 0)}
    before = {alert.key: alert for alert in state.alerts.kept(open_only=True, limit=1000)}
    opened = [key for key in found if key not in before]
    for key, finding in found.items():
        _go_on(state, before[key], finding, now) if key in before else _open(state, finding, now)
    # Without a new hour nothing was judged anew but models and jobs.
    gone = [alert for key, alert in before.items() if key not in found and (counted or alert.kind in ("model", "job"))]
    for alert in gone:
        _resolve(state, alert, now, by="job:alerts")
    told = deliver(state, now)
    line = f"{counted} hours counted, {len(opened)} opened, {len(gone)} resolved"
    return f"{line}; {told}" if told else line


def _open(state: State, finding: Finding, now: float) -> None:
    new = Alert(
        key=finding.key,
        kind=finding.kind,
        severity=finding.severity,
        title=finding.title,
        message=finding.message,
        opened_at=finding.since,
        last_at=now,
        figures=finding.figures,
        causes=causes(state, finding) if finding.kind in ("anomaly", "budget") else (),
    )
    alert = act(state, state.alerts.add(new), now)
    state.alerts.put(queued(state, alert))
    state.audit.append("job:alerts", "alert.opened", f"alert:{alert.alert_id}", {"key": alert.key}, at=now)


def _go_on(state: State, alert: Alert, finding: Finding, now: float) -> None:
    """It is still so: told once, and only its figures are renewed."""
    state.alerts.put(msgspec.structs.replace(alert, last_at=now, message=finding.message, figures=finding.figures))


def _resolve(state: State, alert: Alert, now: float, *, by: str) -> Alert:
    done = msgspec.structs.replace(alert, state="resolved", resolved_at=now, by=by)
    unheard = alert.sends  # who has not heard of it need not hear that it is over
    done = msgspec.structs.replace(queued(state, done), sends={
        name: send for name, send in queued(state, done).sends.items() if name not in unheard
    })  # fmt: skip
    state.alerts.put(done)
    state.audit.append(by, "alert.resolved", f"alert:{alert.alert_id}", {"key": alert.key}, at=now)
    return done


def acknowledge(state: State, alert_id: int, *, by: str, now: float) -> Alert:
    """Somebody looks after it.

    :raises NotFoundError: no such alert is open
    """
    alert = _open_one(state, alert_id)
    changed = msgspec.structs.replace(alert, state="acknowledged", by=by)
    state.alerts.put(changed)
    state.audit.append(by, "alert.acknowledged", f"alert:{alert_id}", {"key": alert.key}, at=now)
    return changed


def resolve(state: State, alert_id: int, *, by: str, now: float) -> Alert:
    """It is over by hand; if it is found again, another one opens.

    :raises NotFoundError: no such alert is open
    """
    return _resolve(state, _open_one(state, alert_id), now, by=by)


def silence(state: State, key: str, hours: float, *, by: str, now: float) -> Silence:
    """Tell nobody of alerts whose key begins so, for some hours."""
    hushed = Silence(key=key, until=now + hours * 3600, by=by)
    state.alerts.silence(hushed)
    state.audit.append(by, "alert.silenced", f"alert-key:{key}", {"hours": hours}, at=now)
    return hushed


def _open_one(state: State, alert_id: int) -> Alert:
    alert = state.alerts.get(alert_id)
    if alert is None or alert.state == "resolved":
        raise NotFoundError(f"there is no open alert {alert_id}", field="alert_id")
    return alert
