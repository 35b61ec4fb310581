"""The ways to cluster, each as a fit: rows on the axes and a seed to a :class:`Partition`.

K-Means takes all visitors. The others need every distance, so they see a sample of :data:`MOST`; everyone else goes to
the nearest exemplar.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...records import FloatArray, IntArray
from .exemplars import exemplars
from .partition import Partition, centroids

MOST = 4_000
"""Most rows for methods that need every distance."""
NEIGHBOURS = 8
"""Neighbours that make a visitor the core of a dense place."""
Labelling = Callable[[FloatArray], IntArray]


def tree(places: FloatArray) -> FloatArray:
    """Ward's tree over the rows, as :func:`scipy.cluster.hierarchy.linkage` gives it.

    (Ward: Hierarchical grouping to optimize an objective function, JASA 1963.)
    """
    from scipy.cluster.hierarchy import linkage

    merges: FloatArray = linkage(places, method="ward")
    return merges


def cut(merges: FloatArray, count: int) -> IntArray:
    """The labels, from 0, where a tree is cut into *count* clusters."""
    from scipy.cluster.hierarchy import fcluster

    labels: IntArray = fcluster(merges, t=count, criterion="maxclust").astype(np.int32) - 1
    return labels


def agglomerative(places: FloatArray, count: int) -> IntArray:
    """Labels of *count* clusters merged from below."""
    if len(places) < 2:
        return np.zeros(len(places), dtype=np.int32)
    return cut(tree(places), count)


def hdbscan(places: FloatArray, least: int) -> IntArray:
    """Labels of clusters of any density that have *least* rows, -1 for what lies between.

    (Campello, Moulavi, Sander: Density-based clustering based on hierarchical density estimates, PAKDD 2013.)
    """
    from sklearn.cluster import HDBSCAN

    if len(places) < max(4, least):
        return np.full(len(places), -1, dtype=np.int32)
    model = HDBSCAN(min_cluster_size=max(2, least), min_samples=min(NEIGHBOURS, len(places) - 1), copy=True)
    labels: IntArray = model.fit_predict(places.astype(np.float64)).astype(np.int32)
    return labels


def dbscan(places: FloatArray, reach: float, least: int) -> IntArray:
    """Labels of clusters of one density, -1 for what lies between or in clusters of fewer than *least* rows.

    (Ester, Kriegel, Sander, Xu: A density-based algorithm for discovering clusters, KDD 1996.)

    :param reach: distance within which a core has :data:`NEIGHBOURS` rows
    """
    from sklearn.cluster import DBSCAN

    labels: IntArray = DBSCAN(eps=max(reach, 1e-9), min_samples=NEIGHBOURS).fit_predict(places).astype(np.int32)
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    labels[(labels >= 0) & (sizes[np.maximum(labels, 0)] < least)] = -1
    return labels


def reaches(places: FloatArray) -> list[float]:
    """Distances worth trying: how far the eighth neighbour of most rows is."""
    from sklearn.neighbors import NearestNeighbors

    count = min(NEIGHBOURS, len(places) - 1)
    if count < 1:
        return []
    far, _ = NearestNeighbors(n_neighbors=count).fit(places).kneighbors()
    return [float(reach) for reach in np.unique(np.quantile(far[:, -1], (0.6, 0.75, 0.85, 0.93, 0.97))) if reach > 0]


def by_exemplars(method: str, label: Labelling) -> Callable[[FloatArray, int], Partition]:
    """A fit out of a labelling of a sample."""

    def fit(places: FloatArray, seed: int) -> Partition:
        if len(places) > MOST:
            places = places[np.random.default_rng(seed).choice(len(places), size=MOST, replace=False)]
        return exemplars(method, places, label(places), seed=seed)

    return fit


def by_centroids(method: str, label: Labelling) -> Callable[[FloatArray, int], Partition]:
    """A fit whose clusters are round, so that their centroids do."""

    def fit(places: FloatArray, seed: int) -> Partition:
        if len(places) > MOST:
            places = places[np.random.default_rng(seed).choice(len(places), size=MOST, replace=False)]
        labels = label(places)
        count = int(labels.max(initial=-1)) + 1
        return Partition(method, centroids(places, labels, count), np.arange(count, dtype=np.int32))

    return fit
