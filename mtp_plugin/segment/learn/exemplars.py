"""Clusters of any shape as points that stand for them, so that others can be put into them by the nearest."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray, IntArray
from .partition import Partition, dense

MOST = 24
"""Most exemplars of a cluster."""
ROWS = 8
"""Rows of a cluster to one exemplar."""


def exemplars(method: str, places: FloatArray, labels: IntArray, *, seed: int) -> Partition:
    """A partition whose points are spread over each cluster, dense where it is dense.

    :param places: rows on the axes
    :param labels: of the rows, -1 for noise, which no point stands for
    """
    from sklearn.cluster import KMeans

    labels = dense(labels)
    points, names = [], []
    for label in range(int(labels.max(initial=-1)) + 1):
        rows = np.unique(places[labels == label], axis=0)
        count = min(MOST, max(1, len(rows) // ROWS))
        if count == 1:
            chosen = rows.mean(axis=0, keepdims=True)
        else:
            chosen = KMeans(count, n_init=1, max_iter=20, random_state=seed).fit(rows).cluster_centers_
        points.append(chosen)
        names.append(np.full(len(chosen), label, dtype=np.int32))
    if not points:
        return Partition(method, np.zeros((0, places.shape[1])), np.zeros(0, dtype=np.int32))
    return Partition(method, np.concatenate(points).astype(np.float64), np.concatenate(names))
