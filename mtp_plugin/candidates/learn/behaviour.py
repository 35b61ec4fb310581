"""All arrays of a behaviour bundle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..counts import Counts
from ..log import TrainingLog
from .ease import ease_lists
from .rankings import half_life, rankings, rhythm
from .related_lists import related_lists
from .session_index import basket_index, session_index, user_index

Arrays = dict[str, NDArray[np.generic]]


def learn_behaviour(log: TrainingLog, *, now: float) -> Arrays:
    """Index, item-item lists, rankings.

    :param now: moment that ageing is measured from
    """
    counts = Counts.of(log, now, half_life(log))
    views, purchases = log.views(), log.purchases()
    arrays: Arrays = {**related_lists(counts), **rankings(counts), "rhythm": rhythm(log)}
    if len(views):
        arrays |= session_index(views)
    if len(purchases):
        arrays |= ease_lists(counts) | basket_index(purchases) | user_index(purchases)
    return arrays
