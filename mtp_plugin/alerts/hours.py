"""What each hour's slates came to, by placement and segment: counted once, when the hour's clicks have come in."""

from __future__ import annotations

import time
from collections import defaultdict

from ..ports import AlertHour
from ..records import Outcome, SlateEntry
from ..state import State

HOUR_S = 3600.0
WAIT = 2
"""Hours after which an hour is counted: what came of it by then counts, for every hour alike."""
LONGEST = 24 * 7
"""Hours that one run counts at most; what is older was before alerts were there, or is told as a gap."""
SUMS = ("slates", "empty", "fallback", "slow", "seen", "clicks", "carts", "purchases", "revenue")
OF_KIND = {"seen": "seen", "click": "clicks", "cart": "carts", "purchase": "purchases"}

Sums = dict[str, float]


def count_hours(state: State, now: float) -> int:
    """Count the hours that are over; gives how many. An hour without a slate is kept as one of nothing."""
    end = int(now // HOUR_S) - WAIT + 1
    first = max(state.alerts.last_hour() + 1, end - LONGEST)
    state.alerts.count([cell for hour in range(first, end) for cell in _of_hour(state, hour)])
    return max(0, end - first)


def _of_hour(state: State, hour: int) -> list[AlertHour]:
    cells: dict[tuple[str, str], Sums] = defaultdict(lambda: dict.fromkeys(SUMS, 0.0))
    until, slow_us = (hour + WAIT) * HOUR_S, state.settings.latency_budget_ms * 1000
    for entries in state.slates.between(hour * HOUR_S, (hour + 1) * HOUR_S):
        outcomes = state.outcomes.of_slates([entry.slate.recommendation_id for entry in entries])
        for entry in entries:
            segment = entry.slate.segment.segment_id if entry.slate.segment else ""
            cell = cells[entry.slate.placement, segment]
            _add(cell, entry, slow_us)
            for one in outcomes.get(entry.slate.recommendation_id, ()):
                if one.at < until:
                    _add_outcome(cell, one)
        time.sleep(0)  # a job is not to keep requests of this process from their turn
    cells = cells or {("", ""): dict.fromkeys(SUMS, 0.0)}
    return [
        AlertHour(hour=hour, placement=place, segment_id=segment, **sums) for (place, segment), sums in cells.items()
    ]


def _add(cell: Sums, entry: SlateEntry, slow_us: float) -> None:
    slate = entry.slate
    cell["slates"] += 1
    cell["empty"] += not slate.items
    cell["fallback"] += slate.fallback_level > 0
    cell["slow"] += slate.took_us > slow_us


def _add_outcome(cell: Sums, outcome: Outcome) -> None:
    if (name := OF_KIND.get(outcome.kind)) is not None:
        cell[name] += 1
    if outcome.kind in ("purchase", "refund"):
        cell["revenue"] += outcome.value
