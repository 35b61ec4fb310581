"""Coarser segments above the leaves: what a leaf falls back to where it has too little of its own."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray, IntArray

LEAST = 6
"""Leaves from which there are coarser segments."""


def parents_of(centres: FloatArray, sizes: IntArray) -> IntArray:
    """The number of each leaf's coarser segment, int32 ``(k,)``; -1 for all where there are few leaves.

    Leaves are merged by Ward's criterion, sizes counting, down to a number between 2 and a third of them: where the
    next merge would cost most more than the one before.

    :param centres: means of the leaves on the axes, ``(k, p)``
    """
    count = len(centres)
    parents = np.arange(count, dtype=np.int32)
    if count < LEAST:
        return np.full(count, -1, dtype=np.int32)
    means, weights, alive = centres.astype(float).copy(), sizes.astype(float).copy(), list(range(count))
    history: list[tuple[float, IntArray]] = []
    while len(alive) > 1:
        cost, keep, gone = _cheapest(means, weights, alive)
        history.append((cost, parents.copy()))
        means[keep] = (means[keep] * weights[keep] + means[gone] * weights[gone]) / (weights[keep] + weights[gone])
        weights[keep] += weights[gone]
        parents[parents == gone] = keep
        alive.remove(gone)
    most, least = max(2, count // 3), 2
    # history[i] is the state of count - i groups, before a merge of that cost
    rises = {
        groups: history[count - groups][0] / max(1e-12, history[count - groups - 1][0])
        for groups in range(least, most + 1)
    }
    groups = max(rises, key=lambda number: (rises[number], number))
    return np.unique(history[count - groups][1], return_inverse=True)[1].astype(np.int32)


def _cheapest(means: FloatArray, weights: FloatArray, alive: list[int]) -> tuple[float, int, int]:
    best = (np.inf, -1, -1)
    for place, one in enumerate(alive):
        for other in alive[place + 1 :]:
            gap = ((means[one] - means[other]) ** 2).sum()
            cost = float(gap * weights[one] * weights[other] / (weights[one] + weights[other]))
            if cost < best[0]:
                best = (cost, one, other)
    return best
