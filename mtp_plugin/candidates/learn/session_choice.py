"""What the next product of a session was, and what the sources had said of it: the session expert's cases."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from ...records import IntArray
from .. import session_expert
from ..blend import Expert
from ..leanings import Details
from ..log import TrainingLog
from ..membership import Earlier
from ..recommender import Recommender
from ..session_details import session_details
from .askers import askers_of
from .choice import LIGHT, Cases, fit
from .reranker import Case
from .session_cases import session_cases

MOST_CASES = 9_000
FEWEST_CASES = 200
NOTHING: IntArray = np.zeros(0, dtype=np.int64)
NEUTRAL = {name: max(0.0, weight) for name, weight in session_expert.DEFAULTS.items()}


def session_choices(recommender: Recommender, views: TrainingLog, *, seed: int) -> Cases:
    """What was chosen in held-out sessions, to learn the session expert from.

    :param recommender: of what was known before *views*
    :param views: the held-out sessions
    """
    cases = Cases()
    neutral = Expert(session_expert.FEATURES, NEUTRAL, 1, None)
    for case in session_questions(recommender, views, MOST_CASES, seed):
        if len(case.chosen):
            cases.add(case.features, case.chosen, case.bucket, neutral.scores(case.features, 0))
    return cases


def session_choice(cases: Cases) -> dict[str, Any] | None:
    """Learn the session expert; gives ``None`` when there is too little to learn from."""
    if len(cases) < FEWEST_CASES:
        return None
    return fit(cases, session_expert.FEATURES, session_expert.BUCKETS, ridge=LIGHT)


def session_questions(
    recommender: Recommender, views: TrainingLog, most: int, seed: int, earlier: Earlier | None = None
) -> Iterator[Case]:
    """What sources say at places of held-out sessions, and what came next; in the order of the sessions.

    :param earlier: tells the segments of who is asked about
    """
    cases, leanings = session_cases(recommender, views, most, seed), recommender.sources.leanings
    askers = askers_of(views, np.array([case.place for case in cases], dtype=np.int64), earlier, arriving=False)
    for (way, target, _), asker in zip(cases, askers, strict=True):
        scratch = recommender.sources.scratch()
        distinct, steps = session_expert.gather(recommender.sources, scratch, way)
        listed = scratch.mark[target] == scratch.epoch
        chosen = scratch.slot[np.array([target])] if listed else NOTHING
        features = session_expert.features(recommender.sources, scratch, distinct, steps, way)
        new = np.setdiff1d(np.arange(scratch.count), scratch.slot[distinct], assume_unique=True)
        details: Details = partial(session_details, recommender.sources, scratch, distinct, way)
        details = leanings.beside(details, scratch, asker) if leanings.known else details
        yield Case(features, chosen, session_expert.bucket(len(distinct)), len(distinct), new, details)
