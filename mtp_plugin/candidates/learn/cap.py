"""How much one visitor may weigh: a browser that sends event after event must not make a product popular.

Rows beyond the limits are left out of all that is learnt. The limits look at one visitor at a time, so that one can
be taken out again of what the limits left; see :mod:`mtp_plugin.candidates.forget`.
"""

from __future__ import annotations

import numpy as np

from ...records import IntArray
from ..log import PURCHASE, TrainingLog

DAY_S = 86_400.0
MOST_OF_ONE = 5
"""Times a day that one product counts as viewed, put into the cart or bought by one visitor, each apart."""
MOST_A_DAY = 300
"""Views and carts of one visitor that count in a day. Orders are bounded by what they hold."""


def capped(log: TrainingLog) -> TrainingLog:
    """The log without what exceeds the limits; of each day the earliest rows stay.

    :param log: in order of time within each visitor, as every log is. Without clock the whole session is one day
    """
    many = np.bincount(log.visitor, minlength=1)[log.visitor] > MOST_OF_ONE
    rows = np.flatnonzero(many)
    if not len(rows):
        return log
    visitor, item, action = (log.visitor[rows].astype(np.int64), log.item[rows], log.action[rows])
    day = np.floor_divide(log.time[rows], DAY_S).astype(np.int64) if log.timed else np.zeros_like(visitor)
    whose = visitor * (int(np.ptp(day)) + 1) + day - day.min()
    one = np.unique(whose, return_inverse=True)[1] * (len(log.items) * (PURCHASE + 1)) + item * (PURCHASE + 1) + action
    within = _rank(one) < MOST_OF_ONE
    looking = np.flatnonzero(within & (action != PURCHASE))
    within[looking[_rank(whose[looking]) >= MOST_A_DAY]] = False
    if within.all():
        return log
    keep = np.ones(len(log), dtype=np.bool_)
    keep[rows[~within]] = False
    return log.take(keep)


def _rank(key: IntArray) -> IntArray:
    """How many earlier positions hold the same key."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    start = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(key) else order
    rank = np.empty_like(order)
    rank[order] = np.arange(len(key)) - np.repeat(start, np.diff(np.append(start, len(key))))
    return rank
