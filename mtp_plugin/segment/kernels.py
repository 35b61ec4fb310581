"""Which segment a row of features lies in; compiled where numba can be had."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import HAS_NUMBA, compiled

Array = NDArray[Any]


@compiled
def nearest(
    row: Array, logs: Array, centre: Array, inverse: Array, clip: float, components: Array, points: Array, labels: Array
) -> tuple[int, float, float]:
    """The label of the nearest point, its distance, and that of the nearest point of another label.

    A number is put on its column's scale, so that unknown ones count as the mean, then projected.

    :param row: ``(f,)`` in the features' units, NaN where unknown
    :param logs: ``(f,)``, whether the logarithm is taken
    :param centre: ``(f,)``
    :param inverse: ``(f,)``, one over the standard deviation; 0 leaves a column out
    :param clip: most standard deviations that a number may be off
    :param components: ``(f, p)``, with the columns' weights in them
    :param points: ``(m, p)``, with *labels* ``(m,)``
    """
    dimensions = components.shape[1]
    place = np.zeros(dimensions)
    for feature in range(len(row)):
        value = float(row[feature])
        if inverse[feature] == 0.0 or math.isnan(value):
            continue
        if logs[feature]:
            value = math.log1p(max(0.0, value))
        value = min(clip, max(-clip, (value - centre[feature]) * inverse[feature]))
        for axis in range(dimensions):
            place[axis] += value * components[feature, axis]
    best, label, second = np.inf, -1, np.inf
    for point in range(len(points)):
        distance = 0.0
        for axis in range(dimensions):
            gap = place[axis] - points[point, axis]
            distance += gap * gap
        if distance < best:
            if labels[point] != label:
                second = best
            best, label = distance, labels[point]
        elif labels[point] != label and distance < second:
            second = distance
    return label, math.sqrt(best), math.sqrt(second)


def nearest_plain(
    row: Array, logs: Array, centre: Array, inverse: Array, clip: float, components: Array, points: Array, labels: Array
) -> tuple[int, float, float]:
    """:func:`nearest` without a compiler."""
    row = row.astype(float)
    value = np.where(logs, np.log1p(np.maximum(0.0, row)), row)
    value = np.nan_to_num(np.clip((value - centre) * inverse, -clip, clip))
    distances = ((value @ components - points) ** 2).sum(axis=1)
    label = int(labels[int(distances.argmin())])
    others = distances[labels != label]
    return label, math.sqrt(distances.min()), math.sqrt(others.min()) if len(others) else math.inf


find = nearest if HAS_NUMBA else nearest_plain
"""The one to use here."""
