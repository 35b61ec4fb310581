"""``feedback``: what came of slates, and whether they turn in a circle."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import click
from flask.cli import with_appcontext

from ..feedback.loop import LoopDay, troubles
from ..state import State
from ..watching import loop_days
from .base import answer, command, mounted

DAY = 86400.0


def register(mtp: click.Group) -> None:
    """Add the command to the group."""

    @command(mtp, "feedback")
    @click.option("--days", default=7, show_default=True, type=click.IntRange(1, 90), help="Days to look back on.")
    @with_appcontext
    def feedback(days: int, as_json: bool) -> None:
        """What came of slates, and how varied they were: Gini, coverage, new and popular products by day."""
        state, now = mounted(), time.time()
        state.slates.flush()
        found, came = loop_days(state, days, now), outcomes_of(state, now - days * DAY, now)
        warnings = troubles(found)
        lines = [", ".join(f"{kind} {count:,}" for kind, count in came["counts"].items()) or "No outcomes yet."]
        lines += [f"revenue {came['revenue']:,.2f}, margin {came['margin']:,.2f}", "", HEAD, *map(_line, found)]
        lines += [f"! {text}" for text in warnings]
        answer({"outcomes": came, "days": found, "warnings": warnings}, as_json, "\n".join(lines))


HEAD = f"{'day':10} {'slates':>8} {'gini':>6} {'coverage':>9} {'new':>6} {'of all':>7} {'popular':>8}"


def outcomes_of(state: State, since: float, until: float) -> dict[str, Any]:
    """How many outcomes of each kind (corrections taken off), and the money that was attributed."""
    counts: Counter[str] = Counter()
    revenue = margin = 0.0
    for some in state.outcomes.between(since, until):
        for one in some:
            counts[one.kind] += -1 if one.quantity < 0 and one.kind != "refund" else one.quantity != 0
            if one.kind in ("purchase", "refund"):
                revenue, margin = revenue + one.value, margin + one.margin
    return {"counts": dict(sorted(counts.items())), "revenue": round(revenue, 2), "margin": round(margin, 2)}


def _line(day: LoopDay) -> str:
    return (
        f"{day.day} {day.slates:>8,} {day.gini:>6.2f} {day.coverage:>9.1%} {day.new:>6.1%} "
        f"{day.new_products:>7.1%} {day.popular:>8.1%}"
    )
