"""All arrays of a behaviour bundle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..counts import Counts
from ..log import TrainingLog
from .ease import RIDGE, ease_lists
from .rankings import half_life, rankings, rhythm
from .related_lists import related_lists
from .session_index import basket_index, session_index, user_index

Arrays = dict[str, NDArray[np.generic]]


def learn_behaviour(
    log: TrainingLog, *, now: float, keep_counts: bool = False, counts: Counts | None = None, ridge: float = RIDGE
) -> Arrays:
    """Index, item-item lists, rankings.

    :param now: moment that ageing is measured from
    :param keep_counts: with what all lists are computed from, for taking a visitor out later
    :param counts: of the *log*, where they are known
    :param ridge: of EASE
    """
    counts = counts or Counts.of(log, now, half_life(log))
    views, purchases = log.views(), log.purchases()
    arrays = from_counts(counts, ridge)
    if len(views):
        arrays |= session_index(views)
    if len(purchases):
        arrays |= basket_index(purchases) | user_index(purchases)
    return arrays | counts.arrays() if keep_counts else arrays


def from_counts(counts: Counts, ridge: float = RIDGE) -> Arrays:
    """What depends on sums alone."""
    arrays: Arrays = {**related_lists(counts), **rankings(counts), "rhythm": rhythm(counts)}
    return arrays | ease_lists(counts, ridge) if counts.items["orders"].any() else arrays
