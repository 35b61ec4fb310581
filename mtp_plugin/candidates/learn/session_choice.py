"""What the next product of a session was, and what the sources had said of it: the session expert's cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import session_expert
from ..blend import Expert
from ..log import TrainingLog
from ..recommender import Recommender
from .choice import LIGHT, Cases, fit
from .session_cases import session_cases

MOST_CASES = 9_000
FEWEST_CASES = 200
NEUTRAL = {name: max(0.0, weight) for name, weight in session_expert.DEFAULTS.items()}


def session_choice(recommender: Recommender, views: TrainingLog, *, seed: int) -> tuple[dict[str, Any] | None, Cases]:
    """Learn the session expert; gives ``None`` when there is too little to learn from.

    :param recommender: of what was known before *views*
    :param views: the held-out sessions
    """
    cases = Cases()
    neutral = Expert(session_expert.FEATURES, NEUTRAL, 1, None)
    for way, target in session_cases(recommender, views, MOST_CASES, seed):
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
