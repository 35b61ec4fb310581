"""Whether visitors are one crowd: a single round or long cloud, which any method would cut into slices."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray
from .kmeans import kmeans

ROUNDS = 8
ROWS = 1_500
LEAST_Z = 3.0
COUNTS = (2, 4, 8)


def is_one_crowd(places: FloatArray, *, seed: int) -> bool:
    """Whether K-Means explains no more of these rows than of normal ones with the same covariance.

    (Liu, Hayes, Nobel, Marron: Statistical significance of clustering, JASA 2008.)

    :param places: rows on the axes
    """
    random = np.random.default_rng(seed)
    rows = places[:ROWS].astype(np.float64)
    spread = rows.std(axis=0)
    if len(rows) < 4 * COUNTS[-1] or not (spread > 1e-9).any():
        return not (spread > 1e-9).any()
    rows = rows - rows.mean(axis=0)
    for count in COUNTS:
        found = _unexplained(rows, count, seed)
        normal = [_unexplained(random.normal(size=rows.shape) * spread, count, seed) for _ in range(ROUNDS)]
        if (np.mean(normal) - found) / max(1e-9, float(np.std(normal))) > LEAST_Z:
            return False
    return True


def _unexplained(rows: FloatArray, count: int, seed: int) -> float:
    """Share of the variance within clusters."""
    partition = kmeans(rows, count, seed=seed, tries=1)
    labels, _ = partition.assign(rows)
    within = ((rows - partition.points[labels]) ** 2).sum()
    return float(within / ((rows - rows.mean(axis=0)) ** 2).sum())
