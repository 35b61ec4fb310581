"""Whether visitors are one crowd: a single round or long cloud, which any method would cut into slices."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray
from .kmeans import kmeans

ROUNDS = 8
ROWS = 2_500
COUNTS = (3, 4, 6, 8, 12)
LEAST_Z = 1.5
"""Standard deviations, in the mean of all counts, by which real groups must explain more than a normal cloud's."""


def is_one_crowd(places: FloatArray, *, seed: int) -> bool:
    """Whether K-Means explains no more of these rows than of normal ones with the same covariance.

    (Liu, Hayes, Nobel, Marron: Statistical significance of clustering, JASA 2008.)

    :param places: rows on the axes
    """
    random = np.random.default_rng(seed)
    rows = places[:ROWS].astype(np.float64)
    spread = rows.std(axis=0)
    counts = [count for count in COUNTS if 4 * count <= len(rows)]
    if not counts or not (spread > 1e-9).any():
        return not (spread > 1e-9).any()
    rows = rows - rows.mean(axis=0)
    clouds = [random.normal(size=rows.shape) * spread for _ in range(ROUNDS)]
    beyond = []
    for count in counts:
        normal = [_unexplained(cloud, count, seed) for cloud in clouds]
        beyond.append((np.mean(normal) - _unexplained(rows, count, seed)) / max(1e-9, float(np.std(normal))))
    return bool(np.mean(beyond) < LEAST_Z)


def _unexplained(rows: FloatArray, count: int, seed: int) -> float:
    """Share of the variance within clusters."""
    partition = kmeans(rows, count, seed=seed, tries=1)
    labels, _ = partition.assign(rows)
    within = ((rows - partition.points[labels]) ** 2).sum()
    return float(within / ((rows - rows.mean(axis=0)) ** 2).sum())
