"""What the next product of a session was, and what the sources had said of it: the session expert's cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...records import IntArray
from .. import session_expert
from ..blend import Expert
from ..log import TrainingLog
from ..recommender import Recommender
from .choice import LIGHT, Cases, fit

MOST_CASES = 9_000
FEWEST_CASES = 200
NEUTRAL = {name: max(0.0, weight) for name, weight in session_expert.DEFAULTS.items()}


def session_choice(recommender: Recommender, views: TrainingLog, *, seed: int) -> tuple[dict[str, Any] | None, Cases]:
    """Learn the session expert; gives ``None`` when there is too little to learn from.

    :param recommender: of what was known before *views*
    :param views: the held-out sessions
    """
    cases = Cases()
    rows = _rows(recommender, views)
    neutral = Expert(session_expert.FEATURES, NEUTRAL, 1, None)
    for start, at in _positions(views, seed):
        way = tuple(row for row in rows[start:at].tolist() if row >= 0)
        target = int(rows[at])
        if not way or target < 0:
            continue
        scratch = recommender.sources.scratch()
        distinct, steps = session_expert.gather(recommender.sources, scratch, way)
        if scratch.mark[target] != scratch.epoch:
            continue
        features = session_expert.features(recommender.sources, scratch, distinct, steps, way)
        chosen = np.array([scratch.slot[target]])
        cases.add(features, chosen, session_expert.bucket(len(distinct)), neutral.scores(features, 0))
    if len(cases) < FEWEST_CASES:
        return None, cases
    return fit(cases, session_expert.FEATURES, session_expert.BUCKETS, ridge=LIGHT), cases


def _rows(recommender: Recommender, views: TrainingLog) -> IntArray:
    find = recommender.table.index.get
    to_row = np.array([find(item, -1) for item in views.items], dtype=np.int64)
    return to_row[views.item]


def _positions(views: TrainingLog, seed: int) -> list[tuple[int, int]]:
    """Start of the session and place of the target, for a sample of all places but the first of each session."""
    _, starts, sizes = np.unique(views.session, return_index=True, return_counts=True)
    start = np.repeat(starts, sizes)
    places = np.flatnonzero(np.arange(len(start)) > start)
    if len(places) > MOST_CASES:
        places = np.sort(np.random.default_rng(seed).choice(places, MOST_CASES, replace=False))
    return [(int(start[place]), int(place)) for place in places]
