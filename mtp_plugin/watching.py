"""How varied slates are, day by day, from a sample of the log."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np

from .exploring import is_new
from .feedback.loop import LoopDay, loop_day
from .live import Serving
from .records import Query, Strategy
from .state import State

DAY = 86400.0
SAMPLE = 2000
"""Slates of a day that are looked at."""
TENTH = 10


def loop_days(state: State, days: int, now: float | None = None) -> list[LoopDay]:
    """The figures of the last *days* days (of UTC), oldest first; the last one is today so far."""
    now = time.time() if now is None else now
    today = now // DAY * DAY
    begins = [today - back * DAY for back in reversed(range(days))]
    return [loop_between(state, begin, min(now, begin + DAY)) for begin in begins]


def loop_between(state: State, since: float, until: float) -> LoopDay:
    """The figures of some time, in seconds since 1970; named by the day that it begins on."""
    serving = state.pipeline.live.get()
    table = serving.table
    names = [product.product_id for product in table.products]
    visible = np.flatnonzero(table.visible).tolist()
    popular = frozenset(names[row] for row in _popular(serving, max(1, len(visible) // TENTH)))
    fresh = is_new(table, until, state.settings.new_days * DAY) & table.visible
    entries = state.slates.sample(since, until, SAMPLE)
    return loop_day(
        f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d}",
        [[item.product_id for item in entry.slate.items] for entry in entries if entry.slate.items],
        [names[row] for row in visible],
        frozenset(names[row] for row in np.flatnonzero(fresh).tolist()),
        popular,
    )


def _popular(serving: Serving, count: int) -> list[int]:
    query = Query(now=time.time(), eligible=serving.table.visible)
    rows: list[int] = serving.recommender.candidates(Strategy.BEST_SELLERS, query, count).rows.tolist()
    return rows
