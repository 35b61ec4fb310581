"""What an experiment says, as data for pages, commands and files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .experiment.corrections import Shrunk
from .experiment.metrics import METRICS
from .experiment.planning import detectable, units_needed
from .experiment.readings import ALPHA, Interval
from .experiment.result import Reading, Result
from .experiment.rows import Row
from .experiment_results import DAY, Facts, days_of, gather, judged
from .feedback.orders import PURCHASED, orders_of
from .records import Event
from .state import State

TITLES = {metric.name: metric.title for metric in METRICS}


def report(state: State, row: Row, now: float, *, part: str = "segment") -> dict[str, Any]:
    """All figures of an experiment, and its goal's effect day by day."""
    facts = gather(state, row, now)
    state.experiments.refresh()
    stopped = state.experiments.stopped().get(row.key, ())
    result = judged(facts, now, part=part, stopped=stopped)
    segments = {one.segment_id: one.name for one in state.pipeline.live.get().segments.all()}
    return {
        **as_data(result),
        "part": part,
        "part_visitors": result.part_units,
        "part_names": {name: segments.get(name, name) for name in result.part_units},
        "days": list(by_day(facts, now)),
    }


def as_data(result: Result) -> dict[str, Any]:
    """A result as plain data; what cannot be told is ``None``."""
    return {
        "verdict": {
            "word": result.verdict.word,
            "why": result.verdict.why,
            "variation": result.names[result.verdict.variation] if result.verdict.variation >= 0 else "",
            "until": _finite(result.verdict.until) or None,
        },
        "visitors": dict(zip(result.names, result.counts, strict=True)),
        "saw_two_variations": result.mixed,
        "sample_ratio_p": result.sample_ratio_p,
        "metrics": {
            name: dict(zip(result.names, (_finite(arm.plain) for arm in found), strict=True))
            for name, found in result.arms.items()
        },
        "effects": [_reading(result, one) for one in result.readings],
        "factors": [
            {
                "name": " × ".join(f"{name} {level}" for name, level in zip(one.factors, one.levels, strict=True)),
                "interaction": len(one.factors) > 1,
                "lift": _finite(one.lift),
                "always": _interval(one.always),
            }
            for one in result.factors
        ],
    }


def _reading(result: Result, one: Reading) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "title": TITLES[one.metric],
        "variation": result.names[one.variation],
        "value": _finite(one.treatment.plain),
        "control": _finite(one.control.plain),
        "lift": _finite(one.lift),
        "always": _interval(one.always),
        "once": _interval(one.once),
        "adjusted_p": one.adjusted,
        "chance_better": one.belief.chance,
        "risk": one.belief.risk,
        "parts": {name: {**_part(part), "adjusted_p": one.sure.get(name, 1.0)} for name, part in one.parts.items()},
    }


def _part(part: Shrunk) -> dict[str, Any]:
    reach = 1.959964 * part.error
    return {"lift": part.effect, "low": part.effect - reach, "high": part.effect + reach, "own_weight": part.weight}


def _interval(one: Interval) -> dict[str, Any]:
    return {"low": _finite(one.low), "high": _finite(one.high), "p": one.p}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def by_day(facts: Facts, now: float) -> Iterator[dict[str, Any]]:
    """The goal's effect as it was known at the end of each day, with the always valid interval."""
    for moment in days_of(facts, now):
        result = judged(facts, now, until=moment)
        if min(result.counts) < 2:
            continue
        for number in range(1, len(result.names)):
            one = result.of(facts.row.goal, number)
            yield {
                "at": moment,
                "variation": result.names[number],
                "visitors": sum(result.counts),
                "lift": _finite(one.lift),
                "low": _finite(one.always.low),
                "high": _finite(one.always.high),
            }


def lines(told: dict[str, Any], goal: str) -> Iterator[str]:
    """A report for a terminal; of parts the goal alone."""
    yield f"{told['verdict']['word']}: {told['verdict']['why']}"
    yield "visitors: " + ", ".join(f"{name} {count:,}" for name, count in told["visitors"].items())
    if told["saw_two_variations"]:
        yield f"{told['saw_two_variations']:,} saw two variations and are left out"
    for one in told["effects"]:
        lift = "cannot be told" if one["lift"] is None else f"{one['lift']:+.1%}"
        low, high = one["always"]["low"], one["always"]["high"]
        reach = "" if low is None or high is None else f" ({low:+.1%} to {high:+.1%} at any look)"
        yield f"{one['title']}, {one['variation']}: {lift}{reach}, better with a chance of {one['chance_better']:.0%}"
        for name, part in one["parts"].items() if one["metric"] == goal else ():
            sure = ", certain" if part["adjusted_p"] < ALPHA else ""
            ends = f"{part['lift']:+.1%} ({part['low']:+.1%} to {part['high']:+.1%}{sure})"
            yield f"  in {told['part_names'][name]}, {told['part_visitors'][name]:,} visitors: {ends}"
    for one in told["factors"]:
        if one["lift"] is not None and one["always"]["low"] is not None:
            ends = f"{one['always']['low']:+.1%} to {one['always']['high']:+.1%}"
            yield f"{'together ' if one['interaction'] else ''}{one['name']}: {one['lift']:+.1%} ({ends} at any look)"


def planned(state: State, metric: str, effect: float, variations: int, days: int, now: float) -> dict[str, Any]:
    """Visitors and days that it takes to find an effect, by what visitors of the latest days did.

    :raises InputError: nobody came, or nobody bought
    """
    since = now - days * DAY
    worth = _spent(state, since, now)
    values = (worth > 0).astype(float) if metric == "conversion" else worth
    count = max(len(values), state.journal.count_visitors(since, now))
    if count < 2 or values.sum() <= 0:
        raise InputError(f"nobody bought anything in {days} days, so nothing can be planned by that", field="days")
    mean = float(values.sum()) / count
    # Those who bought nothing are counted only: each is a zero.
    variance = (float(((values - mean) ** 2).sum()) + (count - len(values)) * mean**2) / (count - 1)
    better = mean * (1 + effect)
    then = better * (1 - better) if metric == "conversion" else variance * (1 + effect) ** 2
    then = max(then, 1e-12)  # an effect beyond everybody has no spread
    each, always = (units_needed(mean, variance, effect, then=then, always=one) for one in (False, True))
    a_day = count / days
    return {
        "metric": metric,
        "effect": effect,
        "variations": variations,
        "mean": mean,
        "deviation": math.sqrt(variance),
        "visitors": count,
        "visitors_each": each,
        "visitors_each_always": always,
        "days": each * variations / a_day if a_day else None,
        "days_always": always * variations / a_day if a_day else None,
        "detectable": detectable(mean, variance, count / variations),
    }


def _spent(state: State, since: float, until: float) -> NDArray[np.float64]:
    """What each of those who bought spent."""
    by: dict[str, list[Event]] = {}
    for event in state.kpis.orders(since, until):
        if event.name == PURCHASED:
            by.setdefault(event.profile_id, []).append(event)
    price, currency = state.pipeline.live.get().table.worth, state.settings.currency
    orders = [orders_of(events, price, currency) for events in by.values()]
    return np.array([sum(line.value for one in mine for line in one.lines) for mine in orders], dtype=np.float64)
