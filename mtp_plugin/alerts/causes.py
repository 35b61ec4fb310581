"""Why probably: what was changed shortly before, and which placement and segment the change of a figure comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ..ports import AlertHour, AuditEntry
from ..state import State
from .hours import HOUR_S
from .watch import KPIS, Finding

CHANGES = ("rule.", "rules.", "experiment.", "model.", "placement.", "segment.", "bandit.")
NO_CHANGES = ("experiment.drafted", "experiment.discarded", "experiment.started")
"""What nobody sees: of an experiment counts when it began, which may be later than when somebody said so."""
BEFORE_H = 24.0
"""Hours before an anomaly began in which a change may have caused it."""
LOOKED_AT = 500
MOST = 5
WEEKS = 4


def causes(state: State, finding: Finding) -> tuple[dict[str, Any], ...]:
    """What was changed, the latest before it began first; then the part that contributes most."""
    step_s = float(finding.figures.get("step_hours", 1)) * HOUR_S
    begun, until = finding.since - BEFORE_H * HOUR_S, finding.since + step_s
    found = [entry for entry in state.audit.latest(LOOKED_AT) if _counts(entry) and begun <= entry.at <= until]
    place = finding.figures.get("placement", "")
    found.sort(key=lambda entry: (not _about(state, entry, place), -entry.at))
    told = [*_started(state, begun, until), *map(_change, found)][:MOST]
    if finding.kind == "anomaly":
        told += contribution(state, finding)
    return tuple(told)


def _started(state: State, begun: float, until: float) -> list[dict[str, Any]]:
    """Experiments that began; where their date came, nobody changes anything when that happens."""
    rows = sorted(state.experiments.rows.values(), key=lambda row: -row.begins)
    return [
        {"what": "change", "action": "experiment.started", "subject": f"experiment:{row.key}", "at": row.begins,
         "by": "its date"}
        for row in rows
        if begun <= row.begins <= until
    ]  # fmt: skip


def _counts(entry: AuditEntry) -> bool:
    """Whether it is a change that visitors see, and not our own."""
    return entry.action.startswith(CHANGES) and entry.action not in NO_CHANGES and entry.actor != "job:alerts"


def _about(state: State, entry: AuditEntry, placement: str) -> bool:
    """Whether a change can have had a part in what this placement shows."""
    kind, _, name = entry.subject.partition(":")
    if not placement:
        return True
    if kind == "placement":
        return name == placement
    if kind == "rule":
        _, ruleset = state.rulebook.read()
        rule = next((rule for rule in ruleset.rules if rule.rule_id == name), None)
        return rule is None or not rule.placements or placement in rule.placements
    return True


def _change(entry: AuditEntry) -> dict[str, Any]:
    return {"what": "change", "action": entry.action, "subject": entry.subject, "at": entry.at, "by": entry.actor}


def contribution(state: State, finding: Finding) -> list[dict[str, Any]]:
    """The placement and segment that most of the difference to the same time of the weeks before comes from."""
    figures = finding.figures
    kpi = next(one for one in KPIS if one.name == figures["kpi"])
    first, length = int(finding.since // HOUR_S), int(figures["step_hours"])
    now = _sums(state.alerts.hours(first, first + length), figures)
    before: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for week in range(1, WEEKS + 1):
        for cell, sums in _sums(state.alerts.hours(first - 168 * week, first - 168 * week + length), figures).items():
            before[cell].append(sums)
    changes = {cell: _difference(now.get(cell, {}), before.get(cell, []), kpi.of, kpi.per) for cell in {*now, *before}}
    total = sum(changes.values())
    if not changes or not total:
        return []
    (placement, segment), most = max(changes.items(), key=lambda item: item[1] / total)
    share = most / total
    return [{"what": "part", "placement": placement, "segment_id": segment, "share": round(share, 3)}]


def _sums(hours: Sequence[AlertHour], figures: dict[str, Any]) -> dict[tuple[str, str], dict[str, float]]:
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in hours:
        if figures["placement"] in ("", one.placement) and figures["segment_id"] in ("", one.segment_id):
            for name in ("slates", "fallback", "seen", "clicks", "carts", "purchases", "revenue"):
                found[one.placement, one.segment_id][name] += getattr(one, name)
    return found


def _difference(now: dict[str, float], before: list[dict[str, float]], of: str, per: str) -> float:
    """How much more or less of the figure there is than at the rate of before; of a share, in what it is a share of."""
    was = sum(sums[of] for sums in before)
    if not per:
        return now.get(of, 0.0) - was / WEEKS
    base = sum(sums[per] for sums in before)
    return now.get(of, 0.0) - now.get(per, 0.0) * (was / base if base else 0.0)
