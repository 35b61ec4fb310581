"""Visitors on a plane, for people: principal components, and t-SNE (van der Maaten and Hinton 2008)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...records import FloatArray, IntArray

MOST = {"pca": 2_000, "tsne": 800}
"""Visitors on a map; t-SNE takes a second for so many."""
ROUNDS = 400
LEAST = 10
"""Visitors below whom there is no map."""


def maps_of(place: Callable[[IntArray], FloatArray], labels: IntArray, *, seed: int) -> dict[str, np.ndarray]:
    """Arrays ``map_pca`` and ``map_tsne``, float32 ``(m, 2)`` from 0 to 1, and ``map_labels`` of the longer one.

    Both show the same visitors, a sample in no order, t-SNE fewer of them. Nobody can be told from a place.

    :param place: gives the places of rows on the axes that clusters were found on, ``(rows, p)``
    :param labels: int32 ``(n,)``; those in no cluster are on no map
    """
    inside = np.flatnonzero(labels >= 0)
    if len(inside) < LEAST:
        return {}
    rows = np.random.default_rng(seed).permutation(inside)[: MOST["pca"]]
    places = place(rows)
    return {
        "map_pca": _unit(_plane(places)),
        "map_tsne": _unit(_tsne(places[: MOST["tsne"]], seed)),
        "map_labels": labels[rows].astype(np.int32),
    }


def _plane(places: FloatArray) -> FloatArray:
    """The two directions of most variance."""
    centred = places.astype(np.float64) - places.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(axes[:2][np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])
    flat = centred @ (axes[:2] * signs[:, None]).T  # the sign of a component is free: the largest weight is positive
    return flat if flat.shape[1] == 2 else np.column_stack([flat, np.zeros(len(flat))])


def _tsne(places: FloatArray, seed: int) -> FloatArray:
    from sklearn.manifold import TSNE

    if np.ptp(places, axis=0).max() < 1e-9:
        return _plane(places)
    perplexity = min(30.0, max(2.0, (len(places) - 1) / 4))
    chart = TSNE(perplexity=perplexity, init="pca", max_iter=ROUNDS, random_state=seed, n_jobs=1)
    found: FloatArray = chart.fit_transform(places.astype(np.float32))
    return found


def _unit(plane: FloatArray) -> FloatArray:
    low, high = plane.min(axis=0), plane.max(axis=0)
    scaled: FloatArray = ((plane - low) / np.where(high > low, high - low, 1.0)).astype(np.float32)
    return scaled
