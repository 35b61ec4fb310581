"""A division of visitors and what it takes to put another visitor into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...records import FloatArray, IntArray

CHUNK = 32_768


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """``points`` ``(m, p)`` stand for the clusters ``labels`` ``(m,)`` numbered from 0; the nearest point decides.

    One point a cluster is a centroid, several are exemplars of a cluster of any shape. ``method`` is how they were
    found.
    """

    method: str
    points: FloatArray
    labels: IntArray

    @property
    def count(self) -> int:
        """Number of clusters."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0

    def assign(self, places: FloatArray) -> tuple[IntArray, FloatArray]:
        """Labels, int32 ``(n,)``, and margins, float32 ``(n,)``, of rows on the axes; -1 where there is no cluster.

        A margin is 1 at a point of the cluster and 0 midway to the next.
        """
        return self.nearest(places)[:2]

    def nearest(self, places: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """Labels and margins as by :meth:`assign`, and distances to the nearest point, float32 ``(n,)``."""
        labels, margins = np.empty(len(places), dtype=np.int32), np.ones(len(places), dtype=np.float32)
        gaps = np.zeros(len(places), dtype=np.float32)
        if not len(self.points):
            return np.full(len(places), -1, dtype=np.int32), margins * 0, gaps
        points = self.points.astype(np.float32)
        squares = (points**2).sum(axis=1)
        for start in range(0, len(places), CHUNK):
            part = places[start : start + CHUNK].astype(np.float32, copy=False)
            distances = (part**2).sum(axis=1)[:, None] + squares - 2.0 * part @ points.T
            best = distances.argmin(axis=1)
            found = labels[start : start + CHUNK] = self.labels[best]
            near = np.sqrt(np.maximum(0.0, distances[np.arange(len(part)), best]))
            gaps[start : start + CHUNK] = near
            distances[self.labels[None, :] == found[:, None]] = np.inf
            other = np.sqrt(np.maximum(0.0, distances.min(axis=1)))
            known = np.isfinite(other) & (other + near > 0)
            near, other = near[known], other[known]
            margins[start : start + CHUNK][known] = (other - near) / (other + near)
        return labels, margins, gaps


def centroids(places: FloatArray, labels: IntArray, count: int) -> FloatArray:
    """Means of the clusters, ``(count, p)``; rows of label -1 do not count."""
    kept = labels >= 0
    names = labels[kept]
    sums = [np.bincount(names, weights=axis[kept], minlength=count) for axis in places.T]
    return np.stack(sums, axis=1) / np.maximum(1, np.bincount(names, minlength=count))[:, None]


def dense(labels: IntArray) -> IntArray:
    """The labels numbered from 0 without holes, the largest cluster first; -1 stays."""
    kept = labels[labels >= 0]
    names, sizes = np.unique(kept, return_counts=True)
    place = np.full(int(names.max(initial=-1)) + 1, -1, dtype=np.int32)
    place[names[np.lexsort((names, -sizes))]] = np.arange(len(names), dtype=np.int32)
    return np.where(labels >= 0, place[np.maximum(labels, 0)], -1).astype(np.int32) if len(names) else labels
