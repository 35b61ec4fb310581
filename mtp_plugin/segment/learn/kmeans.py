"""K-Means, by mini-batches where there are many visitors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...records import FloatArray
from .partition import Partition

MANY = 50_000
"""Visitors from which mini-batches are used."""


def kmeans(places: FloatArray, count: int, *, seed: int, start: FloatArray | None = None, tries: int = 4) -> Partition:
    """Divide into *count* clusters, fewer where there are fewer different places.

    :param start: centroids ``(count, p)`` to begin with, such as those of the last refresh
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    count = min(count, len(places))
    options: dict[str, Any] = {"n_clusters": count, "random_state": seed, "n_init": 1 if start is not None else tries}
    options["init"] = start if start is not None else "k-means++"
    model = MiniBatchKMeans(batch_size=8192, **options) if len(places) > MANY else KMeans(**options)
    # Among few rows, threads wait for each other longer than they work, the more so on a busy machine.
    with warnings.catch_warnings(), threadpool_limits(None if len(places) > MANY else 1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different places than clusters: seen below
        model.fit(places)
    points = np.unique(model.cluster_centers_.astype(np.float64), axis=0)
    return Partition("kmeans", points, np.arange(len(points), dtype=np.int32))
