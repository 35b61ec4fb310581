"""Which settings of the session neighbours predict a shop's own held-out sessions best."""

from __future__ import annotations

import numpy as np

from ..log import TrainingLog
from ..neighbours import DEFAULTS
from ..own import latest_first
from ..recommender import Recommender
from ..sources import SESSION
from .session_cases import SessionCase, session_cases

MOST_CASES = 3_000
FIRST = 500
"""Cases that tell whether a value is worth a closer look."""
TRIED = {
    "decay": (2.0, 8.0),
    "age": (0.0, 2.0),
    "neighbours": (100, 400),
    "reach": (3.0, 20.0),
    "norm": (0.25, 0.75),
}
"""Other values of a setting than the default, one setting after the other."""
WORTH_IT = 1.005
"""A setting is changed for predicting at least this much better: less may be chance."""
SOFTENED = 10
"""Added to a rank before it is turned over, so that places 5 and 20 still differ: a blend ranks anew what is found."""


def neighbour_settings(recommender: Recommender, views: TrainingLog, *, seed: int) -> dict[str, float]:
    """The settings, the defaults where there is nothing to be gained.

    :param recommender: of what was known before *views*
    :param views: the held-out sessions
    """
    settings = dict(DEFAULTS[""])
    cases = [case for case in session_cases(recommender, views, MOST_CASES, seed) if case.target not in case.way]
    if len(cases) < MOST_CASES // 5 or recommender.sources.neighbours is None:
        return settings
    first = cases[:: len(cases) // FIRST]
    best, best_of_first = _worth(recommender, cases, settings), _worth(recommender, first, settings)
    for name, values in TRIED.items():
        for value in values:
            tried = {**settings, name: value}
            if _worth(recommender, first, tried) <= best_of_first:
                continue
            worth = _worth(recommender, cases, tried)
            if worth > WORTH_IT * best:
                settings, best, best_of_first = tried, worth, _worth(recommender, first, tried)
    return settings


def _worth(recommender: Recommender, cases: list[SessionCase], settings: dict[str, float]) -> float:
    """Mean softened reciprocal rank of what came next, among products new to the session; equals count against it.

    That visitors come back to what they saw is judged by terms of its own.
    """
    sources = recommender.sources
    neighbours = sources.neighbours
    assert neighbours is not None  # noqa: S101  checked by the caller
    tuned = neighbours.tuned(settings)
    total = 0.0
    for way, target, _ in cases:
        scratch = sources.scratch()
        rows, steps = latest_first(way)
        scratch.add(rows)
        tuned.vote(scratch, rows, steps, SESSION)
        if scratch.mark[target] == scratch.epoch:
            votes = scratch.columns[len(rows) : scratch.count, SESSION]
            total += 1.0 / (SOFTENED + np.count_nonzero(votes >= votes[scratch.slot[target] - len(rows)]))
    return total / len(cases)
