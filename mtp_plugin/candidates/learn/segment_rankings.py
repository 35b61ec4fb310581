"""Scores of products within each segment, drawn to those of its parent where the segment did too little.

What a segment did is taken as counts of a multinomial with a Dirichlet prior: the parent's shares, worth a number of
interactions (Zhai and Lafferty 2004, smoothing with a Dirichlet prior). A segment of few interactions thus has its
parent's order, one of many its own, and everything between.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...records import FloatArray, IntArray
from ..counts import LANDMARK_BITS, WORTH, fixed_decay
from ..log import PURCHASE, TrainingLog
from ..membership import EVERYBODY, Membership

PRIOR = 100.0
"""Interactions (views; an order counts as five) that the parent is worth, unless training found a better number."""
FEWEST = 20
"""Visitors under which a segment has nothing of its own: what so few did may be told of no one."""
MEASURES = ("popular", "recent", "base", "sold")
KINDS = ("popular", "trending", "sold")
CHUNK = 1_000_000

Arrays = dict[str, NDArray[np.generic]]
Counted = dict[str, FloatArray]


def segment_rankings(
    log: TrainingLog, membership: Membership, *, now: float, half_life: float, prior: float = PRIOR
) -> Arrays:
    """``segment_popular``, ``segment_trending``, ``segment_sold``: float32 of shape ``(segments, items)``.

    ``segment_visitors``: how many visitors of the log each has.

    :param now: moment that decay is measured from
    :param half_life: of popularity, in the log's unit of time
    :param prior: interactions that a parent's shares are worth
    """
    counted, everybody = counts(log, membership, now, half_life)
    visitors = membership.visitors
    smooth = smoothed(counted, everybody, membership.parents, visitors, prior)
    expected = smooth["base"] / 10
    trending = np.maximum((smooth["recent"] - expected) / np.sqrt(expected + 3.0), 0.0)
    found = {"popular": smooth["popular"], "trending": trending, "sold": smooth["sold"]}
    return {
        **{f"segment_{name}": values.astype(np.float32) for name, values in found.items()},
        "segment_visitors": visitors.astype(np.int32),
    }


def smoothed(
    counted: Counted, everybody: Counted, parents: tuple[int, ...], visitors: IntArray, prior: float
) -> Counted:
    """What each segment did, and so much of what its parent did as *prior* interactions are worth.

    :param counted: by measure, shape ``(segments, items)``
    :param everybody: by measure, shape ``(items,)``
    """
    found = {name: np.zeros_like(values) for name, values in counted.items()}
    for place, parent in enumerate(parents):
        above = {name: everybody[name] if parent == EVERYBODY else found[name][parent] for name in counted}
        total = float(above["popular"].sum())
        own = visitors[place] >= FEWEST
        share = prior / total if own and total > 0 else 1.0
        for name in counted:
            found[name][place] = share * above[name] + (counted[name][place] if own else 0.0)
    return found


def counts(log: TrainingLog, membership: Membership, now: float, half_life: float) -> tuple[Counted, Counted]:
    """Decayed sums by segment, its children's included, and those of everybody, with segment or without."""
    n, segments = len(log.items), len(membership.segment_ids)
    totals = {name: np.zeros((segments + 1) * n, dtype=np.int64) for name in MEASURES}
    lives = {"popular": half_life, "recent": half_life / 5, "base": half_life * 2, "sold": half_life * 2}
    for start in range(0, len(log), CHUNK):
        rows = slice(start, start + CHUNK)
        item, action, time = log.item[rows], log.action[rows], log.time[rows]
        # Whoever has no segment is counted in a last row of its own.
        segment = membership.of_owner[log.visitor[rows]].astype(np.int64) % (segments + 1)
        at = segment * n + item
        for name, life in lives.items():
            worth = (action == PURCHASE).astype(np.int64) if name == "sold" else WORTH[action]
            np.add.at(totals[name], at, worth * fixed_decay(time, now, life))
    by_segment = {name: values.reshape(segments + 1, n) / (1 << LANDMARK_BITS) for name, values in totals.items()}
    everybody = {name: values.sum(axis=0) for name, values in by_segment.items()}
    return {name: membership.with_children(values[:-1]) for name, values in by_segment.items()}, everybody
