"""What rankings are computed from: sums over all that happened to each product.

Weights are fixed-point numbers (:data:`ONE` is 1.0): integers add up in any order to the same sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..records import Action, FloatArray, IntArray
from .log import ACTION_CODES, TrainingLog

ONE = 1 << 16
DAY_S = 86_400.0
SHORTEST_PAUSE = 0.5
"""Days between two purchases of a product that count as buying it again."""
LANDMARK_BITS = 20
WORTH = np.array([{Action.VIEW: 1, Action.CART: 3, Action.PURCHASE: 5}.get(action, 0) for action in ACTION_CODES])
"""Of an action for popularity, by its code."""
CHUNK = 1_000_000
"""Rows added up at a time, so that a long log needs no second one for its weights."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Sums over visitors, int64 vectors of shape ``(items,)``.

    Decayed ``popular``, ``recent``, ``base`` of all actions and ``sold`` of purchases; ``pauses`` between
    two purchases of a product by one visitor, and ``pause_logs``, the sum of the logarithms of their days.
    """

    popular: IntArray
    recent: IntArray
    base: IntArray
    sold: IntArray
    pauses: IntArray
    pause_logs: IntArray

    @classmethod
    def of(cls, log: TrainingLog, purchases: TrainingLog, now: float, half_life: float) -> Counts:
        """Count a log.

        :param purchases: the rows of *log* that are purchases
        :param now: moment that decay is measured from
        :param half_life: of popularity, in the log's unit of time
        """
        n = len(log.items)
        pauses, pause_logs = _pauses(purchases, n)
        return cls(
            popular=_decayed(log, now, half_life),
            recent=_decayed(log, now, half_life / 5),
            base=_decayed(log, now, half_life * 2),
            sold=_sum(purchases.item, fixed_decay(purchases.time, now, 2 * half_life), n),
            pauses=pauses,
            pause_logs=pause_logs,
        )


def fixed_decay(time: FloatArray, now: float, half_life: float) -> IntArray:
    """``2 ** ((time - now) / half_life)`` as a fixed-point number of :data:`LANDMARK_BITS` bits; 1 for the future."""
    age = np.maximum(now - time, 0.0) / half_life
    fixed: IntArray = np.rint(np.exp2(LANDMARK_BITS - np.minimum(age, 60.0))).astype(np.int64)
    return fixed


def _decayed(log: TrainingLog, now: float, half_life: float) -> IntArray:
    """What was done with each product, a purchase counting more than a view and lately more than long ago."""
    total = np.zeros(len(log.items), dtype=np.int64)
    for start in range(0, len(log), CHUNK):
        rows = slice(start, start + CHUNK)
        np.add.at(total, log.item[rows], WORTH[log.action[rows]] * fixed_decay(log.time[rows], now, half_life))
    return total


def _sum(item: IntArray, weight: IntArray, n: int) -> IntArray:
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, item, weight)
    return total


def _pauses(purchases: TrainingLog, n: int) -> tuple[IntArray, IntArray]:
    """Pauses of each product, and the fixed-point sum of the logarithms of their days; half a day is none."""
    order = np.lexsort((purchases.time, purchases.item, purchases.visitor))
    visitor, item, time = purchases.visitor[order], purchases.item[order], purchases.time[order]
    days = np.diff(time) / DAY_S
    again = (visitor[1:] == visitor[:-1]) & (item[1:] == item[:-1]) & (days > SHORTEST_PAUSE)
    logs = np.rint(np.log(days[again]) * ONE).astype(np.int64)
    return _sum(item[1:][again], np.ones(len(logs), dtype=np.int64), n), _sum(item[1:][again], logs, n)
