"""How much one visitor may weigh: a browser that sends event after event must not make a product popular.

Rows beyond the limits are left out of all that is learnt. The limits look at one visitor at a time, so that one can
be taken out again of what the limits left; see :mod:`mtp_plugin.candidates.forget`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiled import compiled_long
from ..log import ACTION_CODES, PURCHASE, TrainingLog
from .pair_kernels import grouped

Array = NDArray[Any]
DAY_S = 86_400.0
ACTIONS = len(ACTION_CODES)
MOST_OF_ONE = 5
"""Times a day that one product counts as viewed, put into the cart or bought by one visitor, each apart."""
MOST_A_DAY = 300
"""Views and carts of one visitor that count in a day. Orders are bounded by what they hold."""


def capped(log: TrainingLog) -> TrainingLog:
    """The log without what exceeds the limits; of each day the earliest rows stay.

    :param log: in order of time within each visitor, as every log is. Without clock the whole session is one day
    """
    indptr, positions = grouped(log.visitor, len(log.owners))
    keep = np.ones(len(log), dtype=np.bool_)
    day_s = DAY_S if log.timed else np.inf
    if leave_out(indptr, positions, log.item, log.action, log.time, day_s, len(log.items), keep):
        return log.take(keep)
    return log


@compiled_long
def leave_out(
    indptr: Array, positions: Array, item: Array, action: Array, time: Array, day_s: float, n: int, keep: Array
) -> int:
    """Set *keep* to False where a row exceeds the limits; gives how many rows do.

    :param positions: with *indptr*, the rows of each visitor
    :param day_s: seconds in a day, infinite where all is one day
    :param n: number of products
    """
    day_of, times, left_out = np.full(ACTIONS * n, -1, dtype=np.int32), np.zeros(ACTIONS * n, dtype=np.uint8), 0
    number = -1
    for visitor in range(len(indptr) - 1):
        rows = positions[indptr[visitor] : indptr[visitor + 1]]
        if len(rows) <= MOST_OF_ONE:
            continue
        days = np.floor(time[rows] / day_s)
        order, today, looked = np.argsort(days, kind="mergesort"), np.nan, 0
        for place in order:
            row = rows[place]
            if days[place] != today:
                today, looked, number = days[place], 0, number + 1
            what = ACTIONS * item[row] + action[row]
            if day_of[what] != number:
                day_of[what], times[what] = number, 0
            keep[row] = times[what] < MOST_OF_ONE
            times[what] = min(times[what] + 1, MOST_OF_ONE)
            if keep[row] and action[row] != PURCHASE:
                keep[row] = looked < MOST_A_DAY
                looked += 1
            left_out += not keep[row]
    return left_out
