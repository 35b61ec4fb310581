"""All arrays of a behaviour bundle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..counts import Counts
from ..log import TrainingLog
from .rankings import half_life, rankings, rhythm
from .related_lists import related_lists
from .session_index import session_index

Arrays = dict[str, NDArray[np.generic]]


def learn_behaviour(log: TrainingLog, *, now: float) -> Arrays:
    """Index, item-item lists, rankings.

    :param now: moment that ageing is measured from
    """
    counts = Counts.of(log, now, half_life(log))
    arrays: Arrays = {**related_lists(counts), **rankings(counts), "rhythm": rhythm(log)}
    arrays |= session_index(log.views())
    return arrays
