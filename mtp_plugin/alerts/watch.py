"""What is wrong now: unusual figures, silence, budgets used up too fast, models that age, jobs that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ..kpi.anomaly import Band, Kind, band, controlled, silent_since
from ..ports import AlertHour
from ..state import State
from .hours import HOUR_S, WAIT

WEEKS = 8
SHOWN = 72
"""Steps that an alert keeps of its series, for its plot."""
SLOW_BUDGET, EMPTY_BUDGET = 0.01, 0.05
"""Shares of slates that may be slower than the latency budget, or empty."""
BURNS = ((1, 14.4, "page"), (6, 6.0, "ticket"))
"""Hours, how many times faster than allowed a budget is used up in them, severity."""


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure: its share of what, or its own amount; ``bad`` is the direction that costs, -1 for drops."""

    name: str
    title: str
    of: str
    per: str = ""
    bad: int = -1

    @property
    def kind(self) -> Kind:
        return "ratio" if self.per else "amount" if self.of == "revenue" else "count"


KPIS = (
    Kpi("slates", "Slates", "slates"),
    Kpi("ctr", "Clicks per block seen", "clicks", "seen"),
    Kpi("carts", "Carts per block seen", "carts", "seen"),
    Kpi("conversion", "Purchases per block seen", "purchases", "seen"),
    Kpi("revenue", "Attributed revenue", "revenue"),
    Kpi("fallback", "Share of fallbacks", "fallback", "slates", bad=1),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong; ``key`` says what it is about, ``since`` when it began."""

    key: str
    kind: str
    severity: str
    title: str
    message: str
    since: float
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """A KPI of a placement or segment (or of all), in steps of *step* hours."""

    kpi: Kpi
    placement: str
    segment_id: str
    step: int
    first: int
    values: np.ndarray
    trials: np.ndarray | None
    slots: list[int]

    @property
    def key(self) -> str:
        where = ":".join(part for part in (self.placement, self.segment_id and f"segment-{self.segment_id}") if part)
        every = "day" if self.step == 24 else "hour"
        return f"{self.kpi.name}:{where or 'all'}:{every}"


def find(state: State, now: float, *, figures: bool = True) -> list[Finding]:
    """Everything that is wrong now.

    :param figures: judge the counted hours too; without a new one they say what they said before
    """
    last = state.alerts.last_hour()
    hours = state.alerts.hours(last + 1 - WEEKS * 168, last + 1)
    zone = ZoneInfo(state.settings.time_zone)
    found = [*_models(state, now), *_jobs(state)]
    if hours and figures:
        found += [*_gaps(hours, zone), *_budgets(hours), *_unusual(state, hours, zone)]
    return found


def _unusual(state: State, hours: Sequence[AlertHour], zone: ZoneInfo) -> Iterator[Finding]:
    """Series of one step length are judged together, so that among many few are named by chance."""
    settings = state.settings
    for step, threshold in ((1, settings.alert_threshold), (24, settings.alert_threshold_day)):
        judged = [(one, band(one.values, one.slots, kind=one.kpi.kind, trials=one.trials, width=threshold))
                  for one in series_of(hours, zone, step)]  # fmt: skip
        judged = [(one, at) for one, at in judged if len(at.score)]
        for place in controlled([float(at.score[-1]) for _, at in judged], threshold=threshold):
            yield _anomaly(*judged[place])


def _anomaly(one: Series, at: Band) -> Finding:
    score, value, expected = float(at.score[-1]), float(one.values[-1]), float(at.expected[-1])
    word = "dropped" if score < 0 else "rose"
    share = "%" if one.kpi.per else ""
    shown = [f"{100 * part:.1f} %" if share else f"{part:,.0f}" for part in (value, expected)]
    where = " and ".join(
        part for part in (one.placement, one.segment_id and f"segment {one.segment_id}") if part
    ) or "the whole shop"  # fmt: skip
    return Finding(
        one.key,
        "anomaly",
        ("page" if one.kpi.name in ("slates", "revenue") else "ticket") if score * one.kpi.bad > 0 else "note",
        f"{one.kpi.title} {word} in {where}",
        f"{shown[0]} where {shown[1]} were expected at this time of the week ({score:+.1f} standard deviations).",
        (one.first + one.step * (len(one.values) - 1)) * HOUR_S,
        _figures(one, at),
    )


def _figures(one: Series, at: Band) -> dict[str, Any]:
    def tail(values: np.ndarray) -> list[float | None]:
        return [None if np.isnan(value) else round(float(value), 6) for value in values[-SHOWN:]]

    first = one.first + one.step * max(0, len(one.values) - SHOWN)
    return {
        "kpi": one.kpi.name, "placement": one.placement, "segment_id": one.segment_id, "step_hours": one.step,
        "first_hour": first, "score": round(float(at.score[-1]), 2), "bad": one.kpi.bad,
        "values": tail(one.values), "expected": tail(at.expected), "low": tail(at.low), "high": tail(at.high),
    }  # fmt: skip


def series_of(hours: Sequence[AlertHour], zone: ZoneInfo, step: int) -> Iterator[Series]:
    """Each KPI of all, of each placement and of each segment; days begin at midnight of the shop."""
    first, last = hours[0].hour, hours[-1].hour
    steps, starts = _steps(first, last, zone, step)
    for placement, segment, wanted in _groups(hours):
        sums = {name: np.zeros(len(starts)) for name in {kpi.of for kpi in KPIS} | {kpi.per for kpi in KPIS if kpi.per}}
        for one in hours:
            if wanted(one) and (place := steps.get(one.hour)) is not None:
                for name, values in sums.items():
                    values[place] += getattr(one, name)
        slots = [_slot(hour, zone, step) for hour in starts]
        for kpi in KPIS:
            trials = sums[kpi.per] if kpi.per else None
            values = sums[kpi.of] if trials is None else sums[kpi.of] / np.maximum(trials, 1)
            if starts:
                yield Series(kpi, placement, segment, step, starts[0], values, trials, slots)


def _steps(first: int, last: int, zone: ZoneInfo, step: int) -> tuple[dict[int, int], list[int]]:
    """Which step each hour belongs to, and the hour each begins with; days that are not whole are left out."""
    if step == 1:
        return {hour: hour - first for hour in range(first, last + 1)}, list(range(first, last + 1))
    days: dict[Any, list[int]] = {}
    for hour in range(first, last + 1):
        days.setdefault(_local(hour, zone).date(), []).append(hour)
    whole = [found for found in days.values() if len(found) >= 23]  # the shortest day of a change of clocks
    return {hour: place for place, found in enumerate(whole) for hour in found}, [found[0] for found in whole]


def _local(hour: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(hour * HOUR_S, UTC).astimezone(zone)


def _slot(hour: int, zone: ZoneInfo, step: int) -> int:
    local = _local(hour, zone)
    return local.weekday() if step == 24 else local.weekday() * 24 + local.hour


Wanted = Callable[[AlertHour], bool]


def _groups(hours: Sequence[AlertHour]) -> Iterator[tuple[str, str, Wanted]]:
    yield "", "", lambda one: True
    for name in sorted({one.placement for one in hours} - {""}):
        yield name, "", lambda one, name=name: one.placement == name  # type: ignore[misc]
    for name in sorted({one.segment_id for one in hours} - {""}):
        yield "", name, lambda one, name=name: one.segment_id == name  # type: ignore[misc]


def _gaps(hours: Sequence[AlertHour], zone: ZoneInfo) -> Iterator[Finding]:
    """Silence where there was never any at this time of the week."""
    for one in series_of(hours, zone, 1):
        if one.placement or one.segment_id or one.kpi.name != "slates":
            continue
        for name, title in (("slates", "No slates are served"), ("seen", "No block is said to be seen")):
            sums = np.zeros(len(one.values))
            for cell in hours:
                sums[cell.hour - one.first] += getattr(cell, name)
            start = silent_since(sums, band(sums, one.slots).expected)
            if start is not None:
                since = (one.first + start) * HOUR_S
                hushed = len(sums) - start
                told = f"Nothing for {hushed} hours; at this time of the week there always was something."
                yield Finding(f"gap:{name}", "gap", "page", title, told, since, {"hours": hushed})


def _budgets(hours: Sequence[AlertHour]) -> Iterator[Finding]:
    last = hours[-1].hour
    for name, title, budget in (("slow", "Slates are slow", SLOW_BUDGET), ("empty", "Blocks stay empty", EMPTY_BUDGET)):
        for span, burn, severity in BURNS:
            recent = [one for one in hours if one.hour > last - span]
            slates = sum(one.slates for one in recent)
            share = sum(getattr(one, name) for one in recent) / max(1.0, slates)
            if slates >= 100 and share > min(burn * budget, 0.9):
                told = f"{share:.1%} of the last {span} hours' slates: {share / budget:.0f} times what is allowed."
                figures = {"share": round(share, 4), "hours": span}
                yield Finding(f"budget:{name}", "budget", severity, title, told, (last - span + 1) * HOUR_S, figures)
                break


def _models(state: State, now: float) -> Iterator[Finding]:
    days = state.settings.alert_model_days
    for info in state.registry.list():
        age = (now - info.created_at) / 86400
        if info.current and info.kind == "behaviour" and age > days:
            told = f"The model {info.version} that serves is {age:.0f} days old."
            yield Finding(f"model:{info.kind}", "model", "ticket", f"The model {info.kind} is stale", told, now,
                          {"days": round(age, 1)})  # fmt: skip


def _jobs(state: State) -> Iterator[Finding]:
    for run in state.leases.last_runs().values():
        if not run.ok and run.name != "alerts":
            told = f"It said: {run.message[:300]}"
            yield Finding(f"job:{run.name}", "job", "ticket", f"The job {run.name} failed", told, run.started_at)


def counted_until(state: State) -> float:
    """Up to when hours are counted, in seconds since 1970."""
    return (state.alerts.last_hour() + WAIT) * HOUR_S
